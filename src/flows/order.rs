//! The order in which a machine wrote the lines of a log, where some stand late in their file.
//!
//! Threads that write at once, and programs that collect logs, put lines behind later ones. Such a line is earlier than
//! lines before it, and the lines after it go on where those were. After a clock was set back, all lines that follow are
//! earlier: there the file is right, and time is not.

use std::collections::BTreeMap;

use crate::events::Event;
use crate::time::Micros;

/// A line is late where one of so many lines after it is no earlier than all before it: that several lines in a row are
/// late is rare, and a clock that was set back stays behind for longer.
const SOON: usize = 5;

/// Indices of the events of each log in the order in which they were written. `events` are in the order of their lines
/// within each log.
pub fn as_written(events: &[Event]) -> BTreeMap<u32, Vec<u32>> {
    let mut logs: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (index, event) in (0_u32..).zip(events) {
        logs.entry(event.place.source).or_default().push(index);
    }
    for lines in logs.values_mut() {
        let stamps = || lines.iter().map(|&line| &events[line as usize].stamp);
        // UTC and local time do not mix.
        let all_utc = stamps().all(|stamp| stamp.utc.is_some() || stamp.local.is_none());
        let times: Vec<Option<Micros>> = stamps().map(|stamp| if all_utc { stamp.utc } else { stamp.local }).collect();
        let places = places(&times);
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by_key(|&line| places[line]);
        *lines = order.into_iter().map(|line| lines[line]).collect();
    }
    logs
}

/// Where each line belongs: by how often the clock was set back before it, and by time. A line without a time stays
/// behind the line before it.
fn places(times: &[Option<Micros>]) -> Vec<(usize, Micros)> {
    let (mut set_back, mut newest, mut last) = (0, Micros::MIN, Micros::MIN);
    let mut places = Vec::with_capacity(times.len());
    for (line, time) in times.iter().enumerate() {
        if let Some(time) = *time {
            let soon = times[line + 1..].iter().flatten().take(SOON);
            let is_late = || soon.into_iter().any(|later| *later >= newest);
            if time < newest && !is_late() {
                set_back += 1;
                newest = time;
            }
            newest = newest.max(time);
            last = time;
        }
        places.push((set_back, last));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::places;

    fn order(times: &[i64]) -> Vec<i64> {
        let times: Vec<Option<i64>> = times.iter().copied().map(Some).collect();
        let places = places(&times);
        let mut order: Vec<usize> = (0..times.len()).collect();
        order.sort_by_key(|&line| places[line]);
        order.into_iter().filter_map(|line| times[line]).collect()
    }

    #[test]
    fn a_late_line_is_put_where_it_was_written() {
        assert_eq!(order(&[10, 20, 40, 30, 35, 50, 60]), [10, 20, 30, 35, 40, 50, 60]);
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_the_file_its_order() {
        let written = [100, 110, 120, 10, 20, 30, 40, 50, 60, 70];
        assert_eq!(order(&written), written);
    }

    #[test]
    fn a_line_without_a_time_stays_behind_the_line_before_it() {
        let times = [Some(10), Some(30), Some(20), None, Some(40)];
        let places = places(&times);
        assert_eq!(places[3], places[2]);
        assert!(places[3] < places[1]);
    }
}
