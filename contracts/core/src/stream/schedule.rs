//! What flows, when: the bounds that create enforces, and from which [`super::accrual`] proves that nothing overflows.

use crate::{
    amount::{MAX_AMOUNT, NATIVE_GRAIN, floor_to_grain},
    error::Error,
    ids::Token,
};

/// Rates are amounts per second × 1e9.
pub const SCALE: u128 = 1_000_000_000;
/// The largest rate: 2^95, which is 3.96e19 units a second (39.6 DOT).
pub const MAX_RATE_SCALED: u128 = 1 << 95;
/// The longest flow: 136 years. An open-ended stream accrues this long.
pub const MAX_DURATION_SECS: u64 = u32::MAX as u64;
/// A start may lie this far before or after the call: 68 years.
pub const MAX_START_DISTANCE_SECS: u64 = 1 << 31;

/// What flows, when. Times are Unix seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// Amount per second, × 1e9.
    pub rate_per_second_scaled: u128,
    /// When it starts.
    pub start_at: u64,
    /// With a cliff: when its amount falls due and the flow begins; before it nothing is owed.
    pub cliff: Option<Cliff>,
    /// When it ends; 0: open-ended.
    pub end_at: u64,
}

impl Schedule {
    /// When seconds begin to count: at the cliff, without one at the start.
    pub fn flow_start(&self) -> u64 {
        self.cliff.map_or(self.start_at, |c| c.at)
    }

    /// When they cease to: at the end, without one 2^32 − 1 s after the start, which is within 68 years of a clock that is nowhere near 2^64.
    pub fn flow_end(&self) -> u64 {
        if self.end_at == 0 { self.start_at.saturating_add(MAX_DURATION_SECS) } else { self.end_at }
    }
}

/// A cliff.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cliff {
    /// When.
    pub at: u64,
    /// What falls due then, may be 0.
    pub amount: u128,
}

/// Bits of a stream's flags. Others are refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flags;

impl Flags {
    /// The payer may cancel.
    pub const CANCELLABLE: u8 = 1;
    /// The payee may hand its side over.
    pub const TRANSFERABLE: u8 = 2;
    /// There is a cliff.
    pub const CLIFF: u8 = 4;
    /// All that have a meaning.
    pub const ALL: u8 = Self::CANCELLABLE | Self::TRANSFERABLE | Self::CLIFF;
}

/// Why a schedule was refused: the reason of [`Error::BadSchedule`]. The codes are final; new ones are appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ScheduleError {
    /// Both a rate and a total are given: one follows from the other.
    RateAndTotal = 0,
    /// A total without an end.
    TotalWithoutEnd = 1,
    /// The start is more than 2^31 s before or after now.
    StartTooFar = 2,
    /// The end is not after the start.
    EndBeforeStart = 3,
    /// The end or the cliff is more than 2^32 − 1 s after the start.
    TooLong = 4,
    /// A cliff's time or amount is given without the cliff flag.
    CliffWithoutFlag = 5,
    /// The cliff is before the start.
    CliffBeforeStart = 6,
    /// The cliff is after the end.
    CliffAfterEnd = 7,
    /// The cliff's amount is more than the total.
    CliffAboveTotal = 8,
    /// The flow would begin when it ends, but a rate, or a total above the cliff's amount, needs time to flow.
    NoTimeToFlow = 9,
    /// A flag without a meaning is set.
    Flags = 10,
    /// More is committed than deposited.
    CommittedAboveDeposit = 11,
    /// More is committed than the stated total, which is all that is owed.
    CommittedAboveTotal = 12,
}

impl From<ScheduleError> for Error {
    fn from(reason: ScheduleError) -> Self {
        Self::BadSchedule { reason: reason as u8 }
    }
}

/// What the payer states.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stated {
    /// Amount per second, × 1e9; 0 when a total is given.
    pub rate_per_second_scaled: u128,
    /// All that is owed at the end; 0 when a rate is given.
    pub total: u128,
    /// 0: now.
    pub start_at: u64,
    /// Meaningful with the cliff flag, else 0.
    pub cliff_at: u64,
    /// What falls due at the cliff; 0 without the cliff flag.
    pub cliff_amount: u128,
    /// 0: open-ended.
    pub end_at: u64,
    /// Bits of [`Flags`].
    pub flags: u8,
}

impl Stated {
    /// The schedule, and what is left of the total after rate × duration, scaled: it falls due at the end, so that the debt then is the total exactly.
    ///
    /// # Errors
    /// [`Error::BadSchedule`], [`Error::BadRate`]; [`Error::TooMuch`] and [`Error::NotMovable`] for the amounts.
    pub fn check(&self, token: &Token, now: u64) -> Result<(Schedule, u32), Error> {
        if self.flags & !Flags::ALL != 0 {
            return Err(ScheduleError::Flags.into());
        }
        check_amount(token, self.total)?;
        check_amount(token, self.cliff_amount)?;
        let start_at = if self.start_at == 0 { now } else { self.start_at };
        if start_at.abs_diff(now) > MAX_START_DISTANCE_SECS {
            return Err(ScheduleError::StartTooFar.into());
        }
        // start_at ≤ now + 2^31, and a clock is nowhere near 2^64.
        let last = start_at.saturating_add(MAX_DURATION_SECS);
        if self.end_at != 0 && self.end_at <= start_at {
            return Err(ScheduleError::EndBeforeStart.into());
        }
        if self.end_at > last {
            return Err(ScheduleError::TooLong.into());
        }
        let flow_end = if self.end_at == 0 { last } else { self.end_at };
        let cliff = self.cliff(start_at, flow_end)?;
        let flow_start = cliff.map_or(start_at, |c| c.at);
        // Not negative: flow_start ≤ flow_end is checked above. At most 2^32 − 1.
        let flow_secs = flow_end.saturating_sub(flow_start);
        let (rate, residue) = self.rate(flow_secs)?;
        if rate > MAX_RATE_SCALED {
            return Err(Error::BadRate { given_scaled: rate, max_scaled: MAX_RATE_SCALED });
        }
        Ok((Schedule { rate_per_second_scaled: rate, start_at, cliff, end_at: self.end_at }, residue))
    }

    /// The cliff lies within [start, flow end]: both ends included.
    fn cliff(&self, start_at: u64, flow_end: u64) -> Result<Option<Cliff>, Error> {
        // The flag says whether there is a cliff, never its amount: a cliff of 0 still holds the flow back.
        if self.flags & Flags::CLIFF == 0 {
            let none = self.cliff_at == 0 && self.cliff_amount == 0;
            return if none { Ok(None) } else { Err(ScheduleError::CliffWithoutFlag.into()) };
        }
        if self.cliff_at < start_at {
            return Err(ScheduleError::CliffBeforeStart.into());
        }
        if self.cliff_at > flow_end {
            return Err(if self.end_at == 0 { ScheduleError::TooLong } else { ScheduleError::CliffAfterEnd }.into());
        }
        Ok(Some(Cliff { at: self.cliff_at, amount: self.cliff_amount }))
    }

    /// The rate and the residue at the end, both scaled. `rate · flow_secs + residue` is the total less the cliff's amount, exactly.
    fn rate(&self, flow_secs: u64) -> Result<(u128, u32), Error> {
        let rate = self.rate_per_second_scaled;
        if self.total == 0 {
            return match (rate, flow_secs) {
                (0, _) => Err(Error::BadRate { given_scaled: 0, max_scaled: MAX_RATE_SCALED }),
                (_, 0) => Err(ScheduleError::NoTimeToFlow.into()),
                _ => Ok((rate, 0)),
            };
        }
        if rate != 0 {
            return Err(ScheduleError::RateAndTotal.into());
        }
        if self.end_at == 0 {
            return Err(ScheduleError::TotalWithoutEnd.into());
        }
        let flowing = self.total.checked_sub(self.cliff_amount).ok_or(ScheduleError::CliffAboveTotal)?;
        // At most 2^96 · 1e9 < 2^126.
        let scaled = flowing.saturating_mul(SCALE);
        let secs = u128::from(flow_secs);
        match (scaled.checked_div(secs), scaled.checked_rem(secs)) {
            // The remainder is less than flow_secs, so it fits.
            (Some(rate), Some(residue)) => Ok((rate, u32::try_from(residue).unwrap_or(u32::MAX))),
            _ if flowing == 0 => Ok((0, 0)),
            _ => Err(ScheduleError::NoTimeToFlow.into()),
        }
    }
}

/// Refuses an amount that cannot be stored or, being less than the chain can move, never be paid in full.
#[inline(never)]
pub(super) fn check_amount(token: &Token, amount: u128) -> Result<(), Error> {
    if amount > MAX_AMOUNT {
        return Err(Error::TooMuch { amount, max: MAX_AMOUNT });
    }
    if floor_to_grain(token, amount) != amount {
        return Err(Error::NotMovable { amount, grain: NATIVE_GRAIN });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::Address;

    const NOW: u64 = 1_700_000_000;
    const TOKEN: Token = Address([0, 0, 7, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 0, 0]);
    const RATE: Stated =
        Stated { rate_per_second_scaled: SCALE, total: 0, start_at: 0, cliff_at: 0, cliff_amount: 0, end_at: 0, flags: Flags::CANCELLABLE };
    const TOTAL: Stated = Stated { rate_per_second_scaled: 0, total: 1_000, end_at: NOW + 300, ..RATE };

    fn check(stated: Stated) -> Result<(Schedule, u32), Error> {
        stated.check(&TOKEN, NOW)
    }

    fn with_cliff(stated: Stated, at: u64, amount: u128) -> Stated {
        Stated { flags: stated.flags | Flags::CLIFF, cliff_at: at, cliff_amount: amount, ..stated }
    }

    fn refused(stated: Stated, reason: ScheduleError) {
        assert_eq!(check(stated), Err(reason.into()), "{stated:?}");
    }

    #[test]
    fn codes_are_final() {
        use ScheduleError as S;
        let codes = [
            S::RateAndTotal,
            S::TotalWithoutEnd,
            S::StartTooFar,
            S::EndBeforeStart,
            S::TooLong,
            S::CliffWithoutFlag,
            S::CliffBeforeStart,
            S::CliffAfterEnd,
            S::CliffAboveTotal,
            S::NoTimeToFlow,
            S::Flags,
            S::CommittedAboveDeposit,
            S::CommittedAboveTotal,
        ];
        for (code, reason) in (0..).zip(codes) {
            assert_eq!(reason as u8, code);
        }
    }

    #[test]
    fn exactly_one_of_rate_and_total_is_given() {
        assert_eq!(check(Stated { rate_per_second_scaled: 0, ..RATE }), Err(Error::BadRate { given_scaled: 0, max_scaled: MAX_RATE_SCALED }));
        refused(Stated { rate_per_second_scaled: 1, ..TOTAL }, ScheduleError::RateAndTotal);
        assert!(check(RATE).is_ok() && check(TOTAL).is_ok());
    }

    #[test]
    fn a_total_needs_an_end() {
        refused(Stated { end_at: 0, ..TOTAL }, ScheduleError::TotalWithoutEnd);
    }

    #[test]
    fn the_largest_rate_is_accepted_and_the_next_is_not() {
        assert!(check(Stated { rate_per_second_scaled: MAX_RATE_SCALED, ..RATE }).is_ok());
        for given_scaled in [MAX_RATE_SCALED + 1, u128::MAX] {
            let given = check(Stated { rate_per_second_scaled: given_scaled, ..RATE });
            assert_eq!(given, Err(Error::BadRate { given_scaled, max_scaled: MAX_RATE_SCALED }));
        }
        // 2^96 − 1 units in a second.
        let given_scaled = MAX_AMOUNT * SCALE;
        let given = check(Stated { total: MAX_AMOUNT, end_at: NOW + 1, ..TOTAL });
        assert_eq!(given, Err(Error::BadRate { given_scaled, max_scaled: MAX_RATE_SCALED }));
    }

    #[test]
    fn a_start_of_zero_is_now() {
        assert_eq!(check(RATE).unwrap().0.start_at, NOW);
    }

    #[test]
    fn a_start_lies_within_68_years_of_now() {
        let starting = |start_at| Stated { start_at, ..RATE };
        // NOW is less than 2^31, so every past second is near enough; later it is not.
        assert!(check(starting(1)).is_ok());
        assert!(check(starting(NOW + MAX_START_DISTANCE_SECS)).is_ok());
        refused(starting(NOW + MAX_START_DISTANCE_SECS + 1), ScheduleError::StartTooFar);
        refused(starting(u64::MAX), ScheduleError::StartTooFar);
        let late = MAX_START_DISTANCE_SECS + 2;
        assert!(starting(2).check(&TOKEN, late).is_ok());
        assert_eq!(starting(1).check(&TOKEN, late), Err(ScheduleError::StartTooFar.into()));
    }

    #[test]
    fn the_end_is_after_the_start() {
        let (start_at, end_at) = (NOW + 10, NOW + 11);
        assert!(check(Stated { start_at, end_at, ..RATE }).is_ok());
        refused(Stated { start_at, end_at: start_at, ..RATE }, ScheduleError::EndBeforeStart);
        refused(Stated { start_at, end_at: 1, ..RATE }, ScheduleError::EndBeforeStart);
    }

    #[test]
    fn the_end_may_be_past() {
        assert!(check(Stated { start_at: 1, end_at: 2, ..RATE }).is_ok());
    }

    #[test]
    fn the_longest_duration_is_accepted_and_the_next_is_not() {
        assert!(check(Stated { end_at: NOW + MAX_DURATION_SECS, ..RATE }).is_ok());
        refused(Stated { end_at: NOW + MAX_DURATION_SECS + 1, ..RATE }, ScheduleError::TooLong);
        refused(Stated { end_at: u64::MAX, ..RATE }, ScheduleError::TooLong);
    }

    #[test]
    fn a_cliff_is_told_by_its_flag_and_not_by_its_amount() {
        refused(Stated { cliff_at: NOW, ..RATE }, ScheduleError::CliffWithoutFlag);
        refused(Stated { cliff_amount: 1, ..RATE }, ScheduleError::CliffWithoutFlag);
        let (schedule, _) = check(with_cliff(RATE, NOW + 5, 0)).unwrap();
        assert_eq!(schedule.cliff, Some(Cliff { at: NOW + 5, amount: 0 }));
    }

    #[test]
    fn a_cliff_lies_from_the_start_to_the_end() {
        let end_at = TOTAL.end_at;
        assert!(check(with_cliff(TOTAL, NOW, 100)).is_ok());
        assert!(check(with_cliff(TOTAL, end_at, 1_000)).is_ok());
        refused(with_cliff(TOTAL, NOW - 1, 100), ScheduleError::CliffBeforeStart);
        refused(with_cliff(TOTAL, end_at + 1, 1_000), ScheduleError::CliffAfterEnd);
        refused(with_cliff(TOTAL, u64::MAX, 1_000), ScheduleError::CliffAfterEnd);
    }

    #[test]
    fn an_open_ended_stream_has_its_cliff_before_it_ceases_to_accrue() {
        assert!(check(with_cliff(RATE, NOW + MAX_DURATION_SECS - 1, 1)).is_ok());
        refused(with_cliff(RATE, NOW + MAX_DURATION_SECS, 1), ScheduleError::NoTimeToFlow);
        refused(with_cliff(RATE, NOW + MAX_DURATION_SECS + 1, 1), ScheduleError::TooLong);
    }

    #[test]
    fn what_flows_has_time_to_flow() {
        refused(with_cliff(TOTAL, TOTAL.end_at, 999), ScheduleError::NoTimeToFlow);
        refused(with_cliff(Stated { end_at: NOW + 9, ..RATE }, NOW + 9, 999), ScheduleError::NoTimeToFlow);
    }

    #[test]
    fn a_cliff_can_be_all_of_the_total() {
        for at in [NOW, NOW + 7, TOTAL.end_at] {
            let (schedule, residue) = check(with_cliff(TOTAL, at, 1_000)).unwrap();
            assert_eq!((schedule.rate_per_second_scaled, residue), (0, 0));
        }
        refused(with_cliff(TOTAL, NOW, 1_001), ScheduleError::CliffAboveTotal);
    }

    #[test]
    fn flags_without_a_meaning_are_refused() {
        for bit in 3..8 {
            refused(Stated { flags: 1 << bit, ..RATE }, ScheduleError::Flags);
        }
    }

    #[test]
    fn amounts_can_be_stored_and_moved() {
        let amount = MAX_AMOUNT + 1;
        assert_eq!(check(Stated { total: amount, ..TOTAL }), Err(Error::TooMuch { amount, max: MAX_AMOUNT }));
        assert_eq!(check(with_cliff(RATE, NOW, amount)), Err(Error::TooMuch { amount, max: MAX_AMOUNT }));
        let (native, grain) = (Token::ZERO, NATIVE_GRAIN);
        let off = Error::NotMovable { amount: grain + 1, grain };
        assert_eq!(Stated { total: grain + 1, ..TOTAL }.check(&native, NOW), Err(off));
        assert_eq!(with_cliff(RATE, NOW, grain + 1).check(&native, NOW), Err(off));
        assert!(Stated { total: grain, ..TOTAL }.check(&native, NOW).is_ok());
    }

    proptest! {
        #[test]
        fn rate_and_residue_make_the_total_exactly(total in 1..=MAX_AMOUNT, part in 0..=100u128, secs in 1..=MAX_DURATION_SECS, at in 0..=100u64) {
            let cliff_at = NOW + secs / 100 * at;
            let cliff_amount = total / 100 * part;
            let stated = with_cliff(Stated { total, end_at: NOW + secs, ..TOTAL }, cliff_at, cliff_amount);
            match check(stated) {
                Ok((schedule, residue)) => {
                    let flow = u128::from(NOW + secs - cliff_at);
                    let made = schedule.rate_per_second_scaled * flow + u128::from(residue);
                    prop_assert_eq!(made, (total - cliff_amount) * SCALE);
                }
                Err(e) => {
                    let too_fast = matches!(e, Error::BadRate { .. });
                    prop_assert!(too_fast || (cliff_at == NOW + secs && e == ScheduleError::NoTimeToFlow.into()), "{:?}", e);
                }
            }
        }

        #[test]
        fn nothing_given_makes_it_panic(
            rate_per_second_scaled: u128, total: u128, start_at: u64, cliff_at: u64, cliff_amount: u128, end_at: u64, flags in 0..8u8, now: u64,
        ) {
            let _ = Stated { rate_per_second_scaled, total, start_at, cliff_at, cliff_amount, end_at, flags }.check(&TOKEN, now);
        }
    }
}
