//! How often a payee's rows are claimed.

use rivulet_core::ids::Address;
use std::collections::BTreeMap;

/// At most one claim of a row in a slot. Slots are counted from the Unix epoch, so that all rows of a payee fall due together: with 86,400 s at midnight
/// UTC. A row of a slot that was missed, or was not worth it, goes as soon as it can.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Schedule {
    /// A slot's length for payees without one of their own, in seconds; 0: no slots, rows go whenever they are worth it.
    pub every_secs: u64,
    /// Payees with a length of their own.
    pub of: BTreeMap<Address, u64>,
}

impl Schedule {
    /// When a row of this payee may go, which was last claimed, or at first opened, at `last_at` (Unix seconds). Without slots: always, 0.
    pub fn due_at(&self, payee: &Address, last_at: u64) -> u64 {
        match self.of.get(payee).copied().unwrap_or(self.every_secs) {
            0 => 0,
            every => (last_at / every).saturating_add(1).saturating_mul(every),
        }
    }

    /// True when it may go now.
    pub fn is_due(&self, payee: &Address, last_at: u64, now: u64) -> bool {
        now >= self.due_at(payee, last_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAILY: Address = Address([1; 20]);

    #[test]
    fn a_row_goes_once_a_slot() {
        let schedule = Schedule { every_secs: 0, of: [(DAILY, 86_400)].into() };
        let midnight = 20_000 * 86_400;
        let due = |last_at, now| schedule.is_due(&DAILY, last_at, now);
        assert_eq!([due(midnight - 1, midnight), due(midnight, midnight + 86_399), due(midnight, midnight + 86_400)], [true, false, true]);
        assert_eq!((schedule.due_at(&DAILY, midnight), schedule.due_at(&Address([2; 20]), midnight)), (midnight + 86_400, 0));
        // However long ago: once.
        assert!(due(0, midnight));
        assert!(schedule.is_due(&Address([2; 20]), midnight, midnight), "others go whenever they are worth it");
    }

    #[test]
    fn a_payee_of_its_own_goes_before_the_rule_for_all() {
        let schedule = Schedule { every_secs: 3_600, of: [(DAILY, 0)].into() };
        assert!(schedule.is_due(&DAILY, 7_200, 7_201));
        assert!(!schedule.is_due(&Address([2; 20]), 7_200, 7_201));
    }
}
