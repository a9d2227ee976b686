//! What the payer steers, or who acts for it. All of it touches the record's cell alone when the payer calls.

use super::{Flags, Rights, State, record::Found};
use crate::{
    error::{Error, Refused},
    event::Event,
    host::Host,
    ids::StreamNumber,
};

/// Stops the accrual; the end does not move. Refused where the payer gave up cancelling, before the start, when ended, and when paused.
pub fn pause<H: Host>(h: &mut H, number: StreamNumber) -> Result<(), Refused> {
    steer(h, number, Change::Pause)
}

/// Lets it accrue again, from now on. Refused when ended, and when not paused.
pub fn resume<H: Host>(h: &mut H, number: StreamNumber) -> Result<(), Refused> {
    steer(h, number, Change::Resume)
}

/// Sets the rate from now on; before the start from the start on, in a pause from the end of it on. A stated total holds no longer, but what was left of
/// it for the end still falls due then: not a unit is taken. A cut needs a payer that may cancel; a rise anybody's who may adjust, a delegate's up to its cap.
pub fn adjust_rate<H: Host>(h: &mut H, number: StreamNumber, rate_per_second_scaled: u128) -> Result<(), Refused> {
    steer(h, number, Change::Rate(rate_per_second_scaled))
}

/// The payer gives up cancelling, for good: from now on it can neither cancel, void, pause, cut the rate nor take money out before the end. Refused when
/// ended, when given up before, and in a pause, for a stream left paused for ever would be a cancelled one.
pub fn renounce<H: Host>(h: &mut H, number: StreamNumber) -> Result<(), Refused> {
    steer(h, number, Change::Renounce)
}

#[derive(Clone, Copy)]
enum Change {
    Pause,
    Resume,
    Rate(u128),
    Renounce,
}

/// One path for all of them: the stream is the caller's and goes on, the change is allowed, the flow so far is counted, the change is made.
#[inline(never)]
fn steer<H: Host>(h: &mut H, number: StreamNumber, change: Change) -> Result<(), Refused> {
    let right = match change {
        Change::Pause => Rights::PAUSE,
        Change::Resume => Rights::RESUME,
        Change::Rate(_) => Rights::ADJUST,
        Change::Renounce => Rights::NONE,
    };
    let mut found = Found::going_on(h, number, right)?;
    let (now, max_scaled, stream) = (h.now(), found.max_rate_scaled, &mut found.stream);
    let paused = stream.is(State::PAUSED);
    // Whether it takes from the payee what a payer that gave up cancelling has promised, and whether it can be done in a pause.
    let (takes, fits) = match change {
        Change::Pause | Change::Renounce => (true, !paused),
        Change::Resume => (false, paused),
        Change::Rate(given_scaled) if given_scaled == 0 || given_scaled > max_scaled => {
            return Err(h.refuse(Error::BadRate { given_scaled, max_scaled }));
        }
        Change::Rate(rate) => (rate < stream.rate_per_second_scaled, true),
    };
    if takes && !stream.is_cancellable() {
        return Err(h.refuse(Error::NotCancellable {}));
    }
    if !fits {
        return Err(h.refuse(Error::WrongPause { paused }));
    }
    if matches!(change, Change::Pause) && stream.is_pending(now) {
        return Err(h.refuse(Error::NotDue { now, due_at: stream.snapshot_at }));
    }
    if !matches!(change, Change::Renounce) {
        stream.take_snapshot(now);
    }
    let event = match change {
        Change::Pause => {
            stream.state |= State::PAUSED;
            Event::StreamPaused { number }
        }
        Change::Resume => {
            stream.state &= !State::PAUSED;
            Event::StreamResumed { number }
        }
        Change::Rate(rate_per_second_scaled) => {
            stream.rate_per_second_scaled = rate_per_second_scaled;
            Event::RateAdjusted { number, rate_per_second_scaled, by: h.caller() }
        }
        Change::Renounce => {
            stream.flags &= !Flags::CANCELLABLE;
            Event::StreamRenounced { number }
        }
    };
    found.save(h);
    h.emit(&event);
    Ok(())
}
