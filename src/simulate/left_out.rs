//! Clients of a description that cannot be simulated as they are told: they are left out, and it is said why.

use super::Plan;
use super::facts::World;
use super::world::Stop;
use crate::error::Result;
use crate::site::Site;

/// The world of a plan without the described clients that cannot be simulated.
pub(super) struct Made {
    /// The plan, as it can be carried out.
    pub plan: Plan,
    /// Its world.
    pub world: World,
    /// Who was left out, and why.
    pub left_out: Vec<String>,
}

/// Makes the world of a plan.
///
/// # Errors
/// [`crate::error::Error::Argument`] where nobody would be left of those that are described, or of what is told of the
/// servers alone something cannot be simulated.
pub(super) fn make(plan: &Plan) -> Result<Made> {
    let mut plan = plan.clone();
    let mut left_out = Vec::new();
    loop {
        let unfit = match World::random(&plan) {
            Ok(world) => return Ok(Made { plan, world, left_out }),
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Unfit(unfit)) => unfit,
        };
        let clients = unfit.clients();
        let Some(told) = plan.site.as_mut().filter(|told| told.clients.len().min(plan.clients) > clients.len()) else {
            return Err(unfit.refusal(plan.site.as_ref().unwrap_or(&Site::default())));
        };
        left_out.extend(unfit.left_out(told));
        let mut place = 0..;
        told.clients.retain(|_| place.next().is_none_or(|place| !clients.contains(&place)));
        plan.clients -= clients.len();
    }
}
