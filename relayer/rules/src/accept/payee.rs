//! Does this relayer work for the payee?

use super::{Policy, Rejection};
use rivulet_core::ids::Address;

/// Taking a voucher that nobody here will claim would be a promise broken later.
///
/// # Errors
/// [`Rejection::PayeeNotServed`].
pub fn check(payee: &Address, policy: &Policy) -> Result<(), Rejection> {
    if policy.payees.is_empty() || policy.payees.contains(payee) { Ok(()) } else { Err(Rejection::PayeeNotServed(*payee)) }
}
