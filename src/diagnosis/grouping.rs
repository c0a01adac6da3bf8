//! Groups matches into findings and ranks them: one cause on 400 clients is one finding with 400 flows.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::case::Case;
use super::onset::{MANY, Onset};
use super::world::World;
use super::{Match, artefacts, missing, words};
use crate::events::Event;
use crate::finding::{Confidence, Evidence, Finding, Severity};
use crate::knowledge::{ALL_AT_ONCE, FailureRole, Knowledge, When};
use crate::stage::{Mark, Role, Stage};
use crate::time::Micros;
use crate::tokens::without_tokens;
use crate::workflow;

/// Lines of evidence that one flow, and one finding, bring at most.
const LINES_OF_FLOW: usize = 40;
const LINES_OF_FINDING: usize = 200;

/// What is one finding: a failure, how bad it is, and, where it can hit one client and not the next, or the client's flow
/// ended before the servers' logs show it, how sure.
type Group = (String, Severity, Option<Confidence>);

/// Matches by finding. What a flow overcame is told apart from what stops another, and what stops one flow of a client
/// and is overcome in another is one story of that client. What is told without any flow goes with the worst.
fn groups(matches: Vec<Match>, world: &World<'_>) -> BTreeMap<Group, Vec<Match>> {
    let mut groups: BTreeMap<Group, Vec<Match>> = BTreeMap::new();
    let told = matches.into_iter().filter(|found| found.failure.role != FailureRole::Symptom);
    let (of_flows, alone): (Vec<Match>, Vec<Match>) = told.partition(|found| found.flow.is_some());
    let mut of_client: BTreeMap<(String, usize), (Severity, Confidence)> = BTreeMap::new();
    let client = |found: &Match| Some((found.failure.id.clone(), world.followed.details[found.flow?].machine));
    for found in &of_flows {
        let Some(client) = client(found) else { continue };
        let (worst, surest) = of_client.entry(client).or_insert((found.severity, found.confidence));
        *worst = (*worst).max(found.severity);
        *surest = (*surest).max(found.confidence);
    }
    for found in of_flows {
        let known = client(&found).and_then(|client| of_client.get(&client).copied());
        let (worst, surest) = known.unwrap_or((found.severity, found.confidence));
        let apart = found.failure.hits_one() || (found.ahead.is_some() && found.confidence == surest);
        let group = (found.failure.id.clone(), worst, apart.then_some(surest));
        groups.entry(group).or_default().push(found);
    }
    for found in alone {
        let same = groups.keys().filter(|(id, ..)| *id == found.failure.id);
        let worst = same.max_by_key(|(_, severity, confidence)| (*severity, *confidence)).cloned();
        let (_, severity, confidence) = worst.unwrap_or((String::new(), found.severity, None));
        let group = (found.failure.id.clone(), severity.max(found.severity), confidence);
        groups.entry(group).or_default().push(found);
    }
    groups
}

/// Findings from matches, best first. `at_once` are the common onsets by failure.
pub fn findings(
    matches: Vec<Match>,
    at_once: &BTreeMap<String, usize>,
    world: &World<'_>,
    knowledge: &Knowledge,
) -> Vec<Finding> {
    let mut groups = groups(matches, world);
    // A user's failures change nothing of what the others show.
    let telling = Telling::of(Knowledge::builtin());
    for group in groups.values_mut() {
        group.sort_by_key(|found| {
            let order = (found.earlier, found.flow.is_none(), found.flow);
            (Reverse(found.severity), Reverse(found.confidence), order)
        });
    }
    let mut findings: Vec<_> = groups
        .into_values()
        .map(|group| {
            let onset = onset_of(&group, at_once, world);
            // What stops all clients at once is what there is to do first, however sure the cause of one of them is.
            ((Reverse(onset.is_some()), group[0].fit), finding(&group, onset, world, (knowledge, &telling)))
        })
        .collect();
    findings.sort_by_key(|((at_once, fit), finding)| {
        let (severity, confidence) = (Reverse(finding.severity), Reverse(finding.confidence));
        let reach = (Reverse(finding.clients), Reverse(finding.flows.len()));
        (severity, *at_once, confidence, reach, *fit, finding.stage, finding.failure.clone())
    });
    findings.into_iter().map(|(_, finding)| finding).collect()
}

/// One finding from all matches of one failure, the best match first: it gives the words.
fn finding(
    group: &[Match],
    onset: Option<&Onset>,
    world: &World<'_>,
    (knowledge, telling): (&Knowledge, &Telling<'_>),
) -> Finding {
    // A group is made by its first match.
    let best = &group[0];
    let case = best.case(world);
    let failure = &best.failure;
    let flows: BTreeSet<usize> = group.iter().filter_map(|found| found.flow).collect();
    let machines = machines(group, world);
    let hosts = hosts(group, world);
    let fill = |text: &str, hosts: &[String]| {
        let filled = words::fill(text, &|field| match (field, machines.len()) {
            ("client", 2..) => Some(format!("{} clients", machines.len())),
            ("host" | "cmg", _) => (!hosts.is_empty()).then(|| hosts.join(" and ")),
            _ => words::value(field, &best.evidence, &case).map(|value| words::named(field, value, world.codes)),
        });
        without_tokens(&filled).into_owned()
    };
    let own = |words: fn(&When) -> Option<&String>| best.held_rules().find_map(words);
    let times = times(group, world);
    let spans = || flows.iter().map(|&flow| &world.followed.flows[flow]);
    let explanation = Explanation {
        words: fill(own(|when| when.explanation.as_ref()).unwrap_or(&failure.explanation), &hosts),
        best,
        case: &case,
        onset,
        machines: machines.len(),
        knowledge,
    };
    Finding {
        failure: failure.id.clone(),
        severity: best.severity,
        confidence: best.confidence,
        hypothesis: failure.hypothesis && best.confidence == Confidence::Possible,
        stage: failure.stage,
        scope: if onset.is_some() { ALL_AT_ONCE.to_owned() } else { failure.scope.clone() },
        title: fill(own(|when| when.title.as_ref()).unwrap_or(&failure.title), &hosts),
        explanation: explanation.text(),
        remedy: fill(own(|when| when.remedy.as_ref()).unwrap_or(&failure.remedy), &hosts),
        verify: fill(&failure.verify, &hosts[..hosts.len().min(1)])
            + &without_tokens(&also_for(&failure.verify, &hosts)),
        reference: failure.reference.clone(),
        rule: failure.rule.clone(),
        evidence: evidence(group, world, telling),
        missing: missing::missing(best, &case),
        consequences: group
            .iter()
            .flat_map(|found| found.consequences.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        flows: flows.iter().map(|&flow| world.followed.flows[flow].id.clone()).collect(),
        clients: machines.len(),
        first_seen: times.iter().min().copied().or_else(|| spans().filter_map(|flow| flow.started).min()),
        last_seen: times.iter().max().copied().or_else(|| spans().filter_map(|flow| flow.ended).max()),
    }
}

/// When it was seen, UTC: lines that tell of a failure, unless there are none. What went well before is evidence too, and
/// no sign of it.
fn times(group: &[Match], world: &World<'_>) -> Vec<Micros> {
    let lines = || group.iter().flat_map(|found| &found.evidence).map(|&event| &world.events[event as usize]);
    let failed: Vec<Micros> =
        lines().filter(|event| event.mark() == Mark::Fail).filter_map(|event| event.stamp.utc).collect();
    if failed.is_empty() { lines().filter_map(|event| event.stamp.utc).collect() } else { failed }
}

/// The clients of matches, as indices of their machines.
fn machines<'a>(group: impl IntoIterator<Item = &'a Match>, world: &World<'_>) -> BTreeSet<usize> {
    let flows = group.into_iter().filter_map(|found| found.flow);
    flows.map(|flow| world.followed.details[flow].machine).collect()
}

/// The onset of each failure that stops the clients of one at once, by id: as far as all flows tell, whichever of them are
/// asked for.
pub fn at_once(of_flow: &[Vec<Match>], world: &World<'_>) -> BTreeMap<String, usize> {
    let mut of_failure: BTreeMap<&str, Vec<&Match>> = BTreeMap::new();
    for found in of_flow.iter().flatten() {
        of_failure.entry(&found.failure.id).or_default().push(found);
    }
    let onset = |(id, group): (&str, Vec<&Match>)| {
        let (onset, hit) = most_of(group.iter().copied(), world)?;
        (hit >= MANY).then(|| (id.to_owned(), onset))
    };
    of_failure.into_iter().filter_map(onset).collect()
}

/// The onset that most clients of the matches are part of, and how many they are; `None` where those are few, or got past
/// the failure.
fn most_of<'a>(group: impl Iterator<Item = &'a Match> + Clone, world: &World<'_>) -> Option<(usize, usize)> {
    let mut counts: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let stopped = group.clone().filter(|found| !found.is_overcome() && found.earlier.is_none());
    for flow in stopped.filter_map(|found| found.flow) {
        if let Some(onset) = Case::of_flow(world, flow).onset_number() {
            counts.entry(onset).or_default().insert(world.followed.details[flow].machine);
        }
    }
    let (onset, hit) = counts.into_iter().max_by_key(|(_, hit)| hit.len())?;
    (hit.len() * 2 > machines(group, world).len()).then_some((onset, hit.len()))
}

/// The onset that a group is part of.
fn onset_of<'a>(group: &[Match], at_once: &BTreeMap<String, usize>, world: &'a World<'a>) -> Option<&'a Onset> {
    let (onset, _) = most_of(group.iter(), world)?;
    let common = at_once.get(&group.first()?.failure.id)?;
    (*common == onset).then(|| &world.onsets[onset])
}

/// The hosts that the matches speak of: all of them, for what holds of one gateway need not hold of the other.
fn hosts(group: &[Match], world: &World<'_>) -> Vec<String> {
    let host = |found: &Match| words::value("host", &found.evidence, &found.case(world));
    let hosts: BTreeSet<String> = group.iter().filter_map(host).collect();
    hosts.into_iter().collect()
}

/// A check is told with the address of one gateway, and is due for the others as well.
fn also_for(check: &str, hosts: &[String]) -> String {
    match hosts {
        [_, others @ ..] if !others.is_empty() && check.contains("{host") => {
            format!(" The same for {}.", others.join(" and "))
        }
        _ => String::new(),
    }
}

/// What a finding's explanation is made from.
struct Explanation<'a> {
    /// The failure's words.
    words: String,
    best: &'a Match,
    case: &'a Case<'a>,
    onset: Option<&'a Onset>,
    machines: usize,
    knowledge: &'a Knowledge,
}

impl Explanation<'_> {
    /// Whom it hits where all are hit; the failure's words; since when; what artefacts say, and where they contradict
    /// each other; which neighbours were considered, and which fit as well. What happened, artefacts and neighbours are
    /// a paragraph each.
    fn text(&self) -> String {
        let overcome = match self.best.mended {
            Some(since) => {
                Some(format!("Over since: the same servers worked again, last at {}.", words::minute(since)))
            }
            None => self
                .best
                .is_overcome()
                .then(|| "Overcome since, or done without: the flow, or a later one, got past it.".to_owned()),
        };
        let words = Some(self.words.clone());
        let happened = [overcome, self.whom(), self.unproven(), self.ahead(), words, self.hidden(), self.since()];
        let happened = happened.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let paragraphs = [Some(happened), self.artefacts(), self.neighbours()];
        paragraphs.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    fn whom(&self) -> Option<String> {
        let onset = self.onset?;
        let (hit, asked) = (onset.machines.len(), onset.asked);
        let alike = if hit == asked { String::new() } else { format!(", {hit} of them alike") };
        let (passed, from) = words::told_apart(onset.passed, onset.from);
        Some(format!(
            "This is no single client's trouble: all {asked} clients that asked {} since {from} failed{alike}, and until \
             {passed} requests passed.",
            onset.host,
        ))
    }

    /// What is merely possible at a server of which no line is at hand is told as such: the words that follow speak of
    /// what that server would have done.
    fn unproven(&self) -> Option<String> {
        let server = workflow::of(self.best.failure.stage?).machine;
        let events = &self.case.world.events;
        // The channel between gateway and connection point is seen from either end.
        let of_channel = self.best.failure.stage == Some(Stage::CmgForward);
        let tells = |role| role == server || (of_channel && role == Role::ConnectionPoint);
        let shown = self.best.evidence.iter().any(|&event| events[event as usize].role().is_some_and(tells));
        let open = self.best.confidence == Confidence::Possible && server != Role::Client && !shown;
        open.then(|| {
            format!(
                "No line of the {} is at hand that shows it; this would explain what the client saw.",
                server.words()
            )
        })
    }

    /// What the servers' logs show only after the flow had ended.
    fn ahead(&self) -> Option<String> {
        let ahead = self.best.ahead?;
        let unless = if ahead.measured { "" } else { ", unless the clocks of client and server are that far apart" };
        Some(format!(
            "The servers' logs at hand show it only from {} on, after this had failed{unless}.",
            words::minute(ahead.first)
        ))
    }

    /// What another fault hides since.
    fn hidden(&self) -> Option<String> {
        let last = self.best.earlier.and_then(|_| self.case.flow()?.ended)?;
        Some(format!(
            "It was seen last at {}: since then another fault stops the same flow sooner, and nothing shows that this one \
             is over.",
            words::minute(last)
        ))
    }

    fn since(&self) -> Option<String> {
        if self.onset.is_some() || self.machines != 1 {
            return None;
        }
        let (passed, failed) = self.case.began()?;
        let (host, _) = self.case.first_failure()?;
        let (passed, failed) = (words::minute(passed), words::minute(failed));
        let told =
            format!("Its requests to {host} passed until {passed}; the first that failed after that was at {failed}.");
        // Where both are of one minute, that is when it tried, and no onset.
        (passed != failed).then_some(told)
    }

    fn artefacts(&self) -> Option<String> {
        /// Sentences beyond these say nothing new.
        const ENOUGH: usize = 4;
        let said: Vec<&str> = self.best.told.iter().map(|told| told.sentence.as_str()).take(ENOUGH).collect();
        let contradictions = artefacts::contradictions(self.best.failure.stage, self.case);
        let said = (!said.is_empty()).then(|| format!("The artefacts at hand say: {}", said.join(" ")));
        let contradicted =
            (!contradictions.is_empty()).then(|| format!("They contradict each other: {}", contradictions.join(" ")));
        let parts: Vec<String> = said.into_iter().chain(contradicted).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    fn neighbours(&self) -> Option<String> {
        let titles = |ids: &BTreeSet<String>| -> Vec<String> {
            let known = ids.iter().filter_map(|id| self.knowledge.failure(id));
            known.map(|failure| format!("\"{}\" ({})", failure.title, failure.id)).collect()
        };
        let (refuted, rivals) = (titles(&self.best.refuted), titles(&self.best.rivals));
        let refuted = (!refuted.is_empty())
            .then(|| format!("Considered, and not borne out by what is at hand: {}.", refuted.join(", ")));
        let open = self.best.confidence == Confidence::Possible && !rivals.is_empty();
        let open =
            open.then(|| format!("What is at hand fits as well: {}; what is missing would tell.", rivals.join(", ")));
        let parts: Vec<String> = refuted.into_iter().chain(open).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

/// The lines of all matches; where a cause holds by what is absent, the lines of the flow that lacks it.
fn evidence(group: &[Match], world: &World<'_>, telling: &Telling<'_>) -> Vec<Evidence> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    let mut of_artefacts: Vec<Evidence> = Vec::new();
    for found in group {
        let of_flow =
            || found.flow.map(|flow| world.followed.details[flow].events.iter().map(|(event, _)| *event).collect());
        for told in found.told.iter().take(LINES_OF_FLOW) {
            if of_artefacts.len() < LINES_OF_FLOW && !of_artefacts.contains(&told.evidence) {
                of_artefacts.push(told.evidence.clone());
            }
        }
        let shown: Vec<u32> =
            if found.evidence.is_empty() { of_flow().unwrap_or_default() } else { found.evidence.clone() };
        for index in telling.first(shown, found, world) {
            if lines.len() < LINES_OF_FINDING && seen.insert(index) {
                lines.push(line(&world.events[index as usize]));
            }
        }
    }
    lines.extend(of_artefacts);
    lines
}

/// How many failures rest on each message: what few do is what tells one from another.
struct Telling<'a>(BTreeMap<&'a str, usize>);

impl<'a> Telling<'a> {
    fn of(knowledge: &'a Knowledge) -> Self {
        let mut failures: BTreeMap<&str, usize> = BTreeMap::new();
        for failure in knowledge.failures() {
            for message in failure.required_messages().collect::<BTreeSet<_>>() {
                *failures.entry(message).or_default() += 1;
            }
        }
        Self(failures)
    }

    /// The lines that a match brings. Of what stopped a site those of servers come first, and among them what points at
    /// this failure and at few others, in order of time; what a client saw is told as it went.
    fn first(&self, mut lines: Vec<u32>, found: &Match, world: &World<'_>) -> Vec<u32> {
        let of_site = found.failure.stage.is_some_and(|stage| workflow::of(stage).machine != Role::Client);
        let rank = |index: u32| {
            let event = &world.events[index as usize];
            let rests = self.0.get(event.message.id.as_str()).copied().unwrap_or(usize::MAX);
            if event.role() == Some(Role::Client) { (true, 0, None) } else { (false, rests, event.stamp.utc) }
        };
        if of_site {
            lines.sort_by_key(|&index| rank(index));
        }
        lines.truncate(LINES_OF_FLOW);
        lines
    }
}

fn line(event: &Event) -> Evidence {
    Evidence {
        source: Arc::clone(&event.place.file),
        line: event.place.line,
        text: without_tokens(&event.text).into_owned(),
    }
}
