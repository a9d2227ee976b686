//! What a stream must have paid, by the clock.

use super::{Kind, StreamPlan};
use crate::story::plan::Money;
use rivulet_client::Stream;
use rivulet_core::{amount::floor_to_grain, stream::schedule::SCALE};

/// Something that changes how money flows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// It stops.
    Pause,
    /// It goes on.
    Resume,
    /// It flows at this rate × 1e9.
    Rate(u128),
}

/// A stream and what happened to it.
pub struct Flow {
    /// As planned.
    pub plan: StreamPlan,
    /// Where it is.
    pub stream: Stream,
    /// When it starts.
    pub start_at: u64,
    /// What changed when, in order.
    pub changes: Vec<(u64, Change)>,
    /// When it was handed over.
    pub handed_over_at: Option<u64>,
    /// When it was cancelled.
    pub cancelled_at: Option<u64>,
}

impl Flow {
    /// Just created.
    pub fn new(plan: StreamPlan, stream: Stream, start_at: u64) -> Self {
        Self { plan, stream, start_at, changes: Vec::new(), handed_over_at: None, cancelled_at: None }
    }

    /// The rate × 1e9 that it was created with: what a total leaves after the cliff, over the time that is left.
    fn first_rate_scaled(&self) -> u128 {
        let StreamPlan { total, rate_scaled, lasts, cliff, .. } = self.plan;
        let (cliff_after, cliff_amount) = cliff.unwrap_or_default();
        if total > 0 { (total - cliff_amount) * SCALE / u128::from(lasts - cliff_after) } else { rate_scaled }
    }

    /// All that it had owed at a time, as far as money covers it and can move.
    fn owed_at(&self, at: u64) -> u128 {
        let StreamPlan { total, lasts, cliff, coin, deposit, top_up, .. } = self.plan;
        let (cliff_after, cliff_amount) = cliff.unwrap_or_default();
        if total > 0 && at >= self.start_at + lasts {
            return total;
        }
        let flow_start = self.start_at + cliff_after;
        if at < flow_start {
            return 0;
        }
        let (mut since, mut rate, mut paused, mut scaled) = (flow_start, self.first_rate_scaled(), false, cliff_amount * SCALE);
        let until = self.changes.iter().copied().filter(|(when, _)| *when < at).map(|(when, change)| (when, Some(change))).chain([(at, None)]);
        for (when, change) in until {
            if !paused {
                scaled += rate * u128::from(when.saturating_sub(since));
            }
            since = since.max(when);
            match change {
                Some(Change::Pause) => paused = true,
                Some(Change::Resume) => paused = false,
                Some(Change::Rate(new)) => rate = new,
                None => {}
            }
        }
        floor_to_grain(&coin.token(), (scaled / SCALE).min(deposit + top_up))
    }

    /// All that it must have paid in the end, as contracts count it.
    pub fn owed(&self) -> u128 {
        self.owed_at(self.cancelled_at.unwrap_or(u64::MAX))
    }

    /// The same as accounts have it.
    pub fn money(&self) -> Money {
        Money::of(self.plan.coin, self.owed())
    }

    /// What it paid before it was handed over: the seller took all that was due in the same block.
    pub fn of_seller(&self) -> Money {
        Money::of(self.plan.coin, self.handed_over_at.map_or(0, |at| self.owed_at(at)))
    }

    /// What it paid its creator.
    pub fn of_creator(&self) -> Money {
        let before = self.handed_over_at.map_or(0, |at| self.owed_at(at));
        Money::of(self.plan.coin, self.owed() - before)
    }

    /// True for those that the payer cancels.
    pub fn is_to_be_cancelled(&self) -> bool {
        matches!(self.plan.kind, Kind::Video | Kind::Lesson | Kind::Grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{options::Options, streaming::HOUR};
    use clap::Parser;
    use rivulet_core::ids::{Address, Number, StreamId};

    const START: u64 = 1_000;

    fn flow(kind: Kind) -> Flow {
        let plan = super::super::plan(&Options::parse_from(["story"])).into_iter().find(|p| p.kind == kind).unwrap();
        let (payer, payee) = (Address([2; 20]), Address([1; 20]));
        let stream = Stream { number: Number { book: 1, serial: 0 }, id: StreamId([0; 32]), payer, payee, token: plan.coin.token() };
        Flow::new(plan, stream, START)
    }

    #[test]
    fn one_that_ends_owes_its_total() {
        assert_eq!(flow(Kind::Salary).owed(), 120_000_000);
        assert_eq!(Flow { cancelled_at: Some(START + 4 * HOUR), ..flow(Kind::Grant) }.owed(), 61_000_000);
    }

    #[test]
    fn before_its_cliff_a_salary_owes_nothing_and_at_it_the_cliffs_amount() {
        let salary = flow(Kind::Salary);
        // $90 over an hour and a half after the cliff, the rate rounded down.
        assert_eq!([START + HOUR / 2 - 1, START + HOUR / 2, START + HOUR].map(|t| salary.owed_at(t)), [0, 30_000_000, 59_999_999]);
    }

    #[test]
    fn one_that_is_cancelled_owes_what_flowed() {
        // 61 USDC over 4 hours: 4236.1 units a second.
        assert_eq!(Flow { cancelled_at: Some(START + 100), ..flow(Kind::Grant) }.owed(), 423_611);
    }

    #[test]
    fn a_pause_owes_nothing() {
        // $6 an hour at $4: 1.5 DOT an hour.
        let changes = vec![(START + HOUR, Change::Pause), (START + 2 * HOUR, Change::Resume)];
        let lesson = Flow { cancelled_at: Some(START + 3 * HOUR), changes, ..flow(Kind::Lesson) };
        // The rate is rounded down, and so is what it makes: to whole planck.
        assert_eq!(lesson.owed(), 2_999_999_999_900_000_000);
    }

    #[test]
    fn a_new_rate_counts_from_its_moment_on() {
        let video = flow(Kind::Video);
        let once = Flow { cancelled_at: Some(START + 3 * HOUR), ..flow(Kind::Video) }.owed();
        let changes = vec![(START + HOUR, Change::Rate(2 * video.first_rate_scaled()))];
        let twice = Flow { cancelled_at: Some(START + 2 * HOUR), changes, ..video };
        // One hour at one rate and one at twice the rate are three at one.
        assert_eq!(twice.owed(), once);
    }

    #[test]
    fn no_more_is_owed_than_was_put_in() {
        let lesson = Flow { cancelled_at: Some(START + 100 * HOUR), ..flow(Kind::Lesson) };
        assert_eq!(lesson.owed(), lesson.plan.deposit + lesson.plan.top_up);
    }

    #[test]
    fn seller_and_creator_share_what_was_paid() {
        let grant = Flow { handed_over_at: Some(START + 100), cancelled_at: Some(START + 1_000), ..flow(Kind::Grant) };
        assert_eq!((grant.of_seller().usdc, grant.of_seller() + grant.of_creator()), (423_611, grant.money()));
        assert_eq!(flow(Kind::Rent).of_seller(), Money::default());
    }
}
