//! Who may act for the payer. Whatever a delegate does, money goes where it would go if the payer did it.

use super::{Details, Rights, record::Found, schedule::MAX_RATE_SCALED};
use crate::{
    error::{Error, Refused},
    event::Event,
    host::Host,
    ids::{Address, StreamNumber},
};

/// The payer names its delegate, what it may do (bits of [`Rights`]) and the largest rate it may set. The zero address is nobody, with no rights and a cap of
/// 0. Takes the place of the delegate before. Can be called as long as there is a record.
pub fn set_delegate<H: Host>(h: &mut H, number: StreamNumber, delegate: &Address, rights: u8, rate_cap_scaled: u128) -> Result<(), Refused> {
    Found::of_caller(h, number, Rights::NONE)?;
    if rights & !Rights::ALL != 0 || (delegate.is_zero() && rights != 0) {
        return Err(h.refuse(Error::BadRights { given: rights }));
    }
    let max_scaled = if delegate.is_zero() { 0 } else { MAX_RATE_SCALED };
    if rate_cap_scaled > max_scaled {
        return Err(h.refuse(Error::BadRate { given_scaled: rate_cap_scaled, max_scaled }));
    }
    let details = Details { delegate: *delegate, rights, rate_cap_scaled, ..Details::load(h, number) };
    details.save(h, number);
    h.emit(&Event::DelegateSet { number, delegate: *delegate, rights, rate_cap_scaled });
    Ok(())
}
