//! Calls: their arguments and answers in Solidity's ABI, and how a message reaches what serves it. Source: Solidity ABI specification.
//!
//! A message of a shell is two things:
//!
//! 1. A row of [`calls!`](crate::calls): the types of its parameters as Solidity names them, and what serves it: reads all of its arguments from `c.a`, in order, before
//!    anything else; calls core on `c.h`, passing refusals on by `?`; writes the answer's words to `c.out`, in order; ends with `Ok(())`. Calls that do nearly the same
//!    share a function, and everything that does not depend on types stays out of macros and generic functions: each kilobyte is paid for by every call.
//! 2. An `#[ink(message)]` with one parameter, [`Args`] of the row, and `a.call()` for its body; `a.view()`, and not payable, for a row that begins with `view`. Its
//!    return type says for ink!'s ABI what the row writes.
//!
//! With the Solidity ABI a call is served where ink! would decode its arguments, and ends there. [`Args`] never comes to be, so all that ink! would do with it is dead
//! code, and is dropped: decoding, encoding, loading and storing a root without fields. With both ABIs ink! does all of it, and [`Args`] holds the calldata.

use crate::{Chain, Error, revert, syscalls};
use core::marker::PhantomData;
use ink::prelude::vec::Vec;
#[cfg(ink_abi = "all")]
use ink::{
    primitives::Address,
    sol::{DynBytes, FixedBytes},
};
use rivulet_core::{
    error::Error as Refusal,
    host::Permit,
    ids::{self, Number},
    signature::CompactSignature,
};

/// A call while it is served.
pub struct Call {
    /// Its arguments.
    pub a: Input,
    /// The chain.
    pub h: Chain,
    /// Its answer.
    pub out: Output,
}

/// Serves a call.
pub type Serve = fn(&mut Call) -> Result<(), Refusal>;

/// A row of [`calls!`](crate::calls).
pub trait Row {
    /// Solidity's names of the parameters' types, as they stand between the brackets of the call's signature.
    const TYPES: &'static str;
    /// Where the arguments begin in the calldata: after the selector, which a constructor has not.
    const AT: u32;
    /// Takes no value.
    const VIEW: bool;
    /// Serves it.
    const SERVE: Serve;
}

/// Declares calls: `kind Name(types) = |c| { … }`, where the kind is `call`, `view` or `constructor`.
#[macro_export]
macro_rules! calls {
    ($($(#[$doc:meta])* $kind:ident $name:ident($types:literal) = |$c:ident| $body:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl $crate::abi::Row for $name {
            const TYPES: &'static str = $types;
            const AT: u32 = $crate::calls!(@at $kind);
            const VIEW: bool = $crate::calls!(@view $kind);
            const SERVE: $crate::abi::Serve = |$c: &mut $crate::abi::Call| $body;
        }
    )* };
    (@at constructor) => { 0 };
    (@at $kind:ident) => { 4 };
    (@view view) => { true };
    (@view $kind:ident) => { false };
}

#[cfg(ink_abi = "all")]
type Calldata = Vec<u8>;
#[cfg(not(ink_abi = "all"))]
type Calldata = core::convert::Infallible;

/// The arguments of a call as they came: one parameter for ink!, all of the row's for Solidity.
#[derive(Debug)]
pub struct Args<R>(Calldata, PhantomData<R>);

impl<R: Row> ink::SolDecode for Args<R> {
    type SolType = ();
    const SOL_NAME: &'static str = R::TYPES;
    /// ink! hands over its whole buffer, which has the selector but need not have all of the calldata.
    fn decode(_: &[u8]) -> Result<Self, ink::sol::Error> {
        #[cfg(ink_abi = "all")]
        return Ok(Self(syscalls::calldata(R::AT), PhantomData));
        #[cfg(not(ink_abi = "all"))]
        serve(R::AT, R::VIEW, R::SERVE)
    }
    fn from_sol_type((): ()) -> Result<Self, ink::sol::Error> {
        Err(ink::sol::Error)
    }
}

/// Serves a call to its end.
#[cfg(not(ink_abi = "all"))]
#[inline(never)]
fn serve(at: u32, view: bool, serve: Serve) -> ! {
    // As ink! does it: a trap.
    assert!(!view || syscalls::value() == [0; 32]);
    let mut call = Call { a: Input::new(syscalls::calldata(at)), h: Chain::new(), out: Output::default() };
    match serve(&mut call) {
        Ok(()) => syscalls::answer(&call.out.0),
        Err(e) => revert(e),
    }
}

#[cfg(not(ink_abi = "all"))]
impl<R: Row> Args<R> {
    /// What the message answers: it was served before.
    pub fn call<T>(self) -> Result<T, Error> {
        match self.0 {}
    }
    /// What the view answers: it was served before.
    pub fn view<T>(self) -> T {
        match self.0 {}
    }
}

#[cfg(ink_abi = "all")]
impl<R: Row> Args<R> {
    fn serve<T: Answer>(self) -> Result<T, Refusal> {
        let mut call = Call { a: Input::new(self.0), h: Chain::new(), out: Output::default() };
        (R::SERVE)(&mut call)?;
        Ok(T::read(&mut Input::new(call.out.0)))
    }
    /// Serves the call.
    pub fn call<T: Answer>(self) -> Result<T, Error> {
        self.serve().map_err(Error::from)
    }
    /// Serves the view.
    pub fn view<T: Answer>(self) -> T {
        self.serve().unwrap_or_else(|e| revert(e))
    }
}

/// Called by ink!'s own selectors the arguments come in SCALE: they are turned into Solidity's words.
#[cfg(ink_abi = "all")]
impl<R: Row> ink::scale::Decode for Args<R> {
    fn decode<I: ink::scale::Input>(input: &mut I) -> Result<Self, ink::scale::Error> {
        fn word<I: ink::scale::Input>(of: &str, input: &mut I) -> Result<[u8; 32], ink::scale::Error> {
            let (len, is_number) = match of {
                "address" => (20, false),
                "bytes32" => (32, false),
                "uint8" => (1, true),
                "uint16" => (2, true),
                "uint32" => (4, true),
                "uint64" => (8, true),
                "uint128" => (16, true),
                _ => return Err("no such type".into()),
            };
            let mut word = [0; 32];
            let (_, low) = word.split_at_mut(32 - len);
            input.read(low)?;
            if is_number {
                low.reverse();
            }
            Ok(word)
        }
        let types = || R::TYPES.split(',').filter(|of| !of.is_empty());
        let (mut out, mut tail) = (Output::default(), Output::default());
        let words = types().count().saturating_mul(32);
        for of in types() {
            if of == "bytes" {
                out.u64(words.saturating_add(tail.0.len()) as u64);
                tail.bytes(&<Vec<u8> as ink::scale::Decode>::decode(input)?);
            } else if let Some(of) = of.strip_suffix("[]") {
                let len = <ink::scale::Compact<u32> as ink::scale::Decode>::decode(input)?.0;
                out.u64(words.saturating_add(tail.0.len()) as u64);
                tail.u64(u64::from(len));
                for _ in 0..len {
                    tail.bytes32(&word(of, input)?);
                }
            } else {
                out.bytes32(&word(of, input)?);
            }
        }
        out.0.append(&mut tail.0);
        Ok(Self(out.0, PhantomData))
    }
}

#[cfg(ink_abi = "all")]
impl<R> ink::scale::Encode for Args<R> {
    fn encode_to<O: ink::scale::Output + ?Sized>(&self, out: &mut O) {
        self.0.encode_to(out);
    }
}

#[cfg(feature = "std")]
impl<R: Row + 'static> ink::scale_info::TypeInfo for Args<R> {
    type Identity = Self;
    fn type_info() -> ink::scale_info::Type {
        let path = ink::scale_info::Path::from_segments([R::TYPES]).unwrap_or_else(|_| ink::scale_info::Path::new("Args", module_path!()));
        ink::scale_info::Type::builder().path(path).composite(ink::scale_info::build::Fields::unit())
    }
}

/// Arguments, read from the front. What is not what its type says, or ends early, is refused at once: the call ends here.
#[derive(Debug)]
pub struct Input {
    data: Vec<u8>,
    at: usize,
}

impl Input {
    /// At the front.
    pub fn new(data: Vec<u8>) -> Self {
        Self { data, at: 0 }
    }

    /// The next `len` bytes.
    fn take(&mut self, len: usize) -> &[u8] {
        let start = self.at;
        self.at = start.saturating_add(len);
        self.data.get(start..self.at).unwrap_or_else(|| revert(Refusal::BadArguments {}))
    }

    /// The last bytes of the next word, whose others are zero.
    #[inline(never)]
    fn low(&mut self, out: &mut [u8]) {
        match self.take(32).split_at_checked(32usize.saturating_sub(out.len())) {
            Some((high, low)) if high.iter().all(|b| *b == 0) => out.copy_from_slice(low),
            _ => revert(Refusal::BadArguments {}),
        }
    }

    /// `address`
    #[inline(never)]
    pub fn address(&mut self) -> ids::Address {
        let mut a = ids::Address::ZERO;
        self.low(&mut a.0);
        a
    }
    /// `bytes32`
    #[inline(never)]
    pub fn bytes32(&mut self) -> [u8; 32] {
        let mut b = [0; 32];
        self.low(&mut b);
        b
    }
    /// A number below the power of 256.
    #[inline(never)]
    fn below(&mut self, bytes: usize) -> u64 {
        let mut b = [0; 8];
        if let Some(low) = 8usize.checked_sub(bytes).and_then(|high| b.get_mut(high..)) {
            self.low(low);
        }
        u64::from_be_bytes(b)
    }
    /// `uint8`
    pub fn u8(&mut self) -> u8 {
        self.below(1) as u8
    }
    /// `uint16`
    pub fn u16(&mut self) -> u16 {
        self.below(2) as u16
    }
    /// `uint32`
    #[inline(never)]
    pub fn u32(&mut self) -> u32 {
        self.below(4) as u32
    }
    /// `uint64`
    #[inline(never)]
    pub fn u64(&mut self) -> u64 {
        self.below(8)
    }
    /// `uint128`
    #[inline(never)]
    pub fn u128(&mut self) -> u128 {
        let mut b = [0; 16];
        self.low(&mut b);
        u128::from_be_bytes(b)
    }
    /// `uint32 book, uint32 serial`
    #[inline(never)]
    pub fn number(&mut self) -> Number {
        Number { book: self.u32(), serial: self.u32() }
    }
    /// `bytes32 r, bytes32 yParityAndS`
    #[inline(never)]
    pub fn signature(&mut self) -> CompactSignature {
        let mut signature = CompactSignature([0; 64]);
        signature.0.copy_from_slice(self.take(64));
        signature
    }
    /// `uint64 permitDeadline, uint8 permitV, bytes32 permitR, bytes32 permitS`
    pub fn permit(&mut self) -> Permit {
        Permit { deadline: self.u64(), v: self.u8(), r: self.bytes32(), s: self.bytes32() }
    }

    /// Goes to where the next word points, and back after `read`, which is told the length that stands there.
    fn tail<T>(&mut self, read: impl FnOnce(&mut Self, usize) -> T) -> T {
        let at = self.u32() as usize;
        let back = core::mem::replace(&mut self.at, at);
        let len = self.u32() as usize;
        let out = read(self, len);
        self.at = back;
        out
    }

    /// `bytes`
    pub fn bytes(&mut self) -> Vec<u8> {
        self.tail(|input, len| input.take(len).to_vec())
    }

    /// An array.
    pub fn array<T>(&mut self, item: impl Fn(&mut Self) -> T) -> Vec<T> {
        self.tail(|input, len| {
            // Grown as it is read: the length may be a lie.
            let mut out = Vec::new();
            for _ in 0..len {
                out.push(item(input));
            }
            out
        })
    }
}

/// An answer while it is written, word for word.
#[derive(Debug, Default)]
pub struct Output(Vec<u8>);

impl Output {
    #[inline(never)]
    fn low(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.resize(self.0.len().saturating_add(32usize.saturating_sub(bytes.len())), 0);
        self.0.extend_from_slice(bytes);
        self
    }

    /// A number; it takes a word, whatever its type.
    #[inline(never)]
    pub fn u64(&mut self, v: u64) -> &mut Self {
        self.low(&v.to_be_bytes())
    }
    /// `uint8` … `uint32`, `bool`
    pub fn number(&mut self, v: impl Into<u64>) -> &mut Self {
        self.u64(v.into())
    }
    /// `uint128`
    #[inline(never)]
    pub fn u128(&mut self, v: u128) -> &mut Self {
        self.low(&v.to_be_bytes())
    }
    /// `address`
    pub fn address(&mut self, a: &ids::Address) -> &mut Self {
        self.low(&a.0)
    }
    /// `bytes32`
    pub fn bytes32(&mut self, b: &[u8; 32]) -> &mut Self {
        self.low(b)
    }
    /// Length and bytes, as they stand where a word of `bytes` points to.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.u64(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(32), 0);
        self
    }
    /// Length and words, as they stand where a word of `uint32[]` points to.
    pub fn numbers(&mut self, all: impl ExactSizeIterator<Item = u32>) -> &mut Self {
        self.u64(all.len() as u64);
        for v in all {
            self.number(v);
        }
        self
    }
}

/// What a call answers: for ink!'s ABI it is read from Solidity's words.
#[cfg(ink_abi = "all")]
pub trait Answer {
    /// Reads it.
    fn read(from: &mut Input) -> Self;
}

#[cfg(ink_abi = "all")]
macro_rules! answers {
    ($($ty:ty: $read:expr),*) => { $(impl Answer for $ty {
        fn read(from: &mut Input) -> Self {
            let read: fn(&mut Input) -> Self = $read;
            read(from)
        }
    })* };
}
#[cfg(ink_abi = "all")]
answers!(
    (): |_| (), bool: |w| w.u8() != 0, u8: Input::u8, u16: Input::u16, u32: Input::u32, u64: Input::u64, u128: Input::u128,
    Address: |w| Address::from(w.address().0), FixedBytes<32>: |w| FixedBytes(w.bytes32()), DynBytes: |w| DynBytes(w.bytes()), Vec<u32>: |w| w.array(Input::u32)
);

#[cfg(ink_abi = "all")]
macro_rules! tuples {
    ($($($name:ident)+),*) => { $(
        impl<$($name: Answer),+> Answer for ($($name,)+) {
            fn read(from: &mut Input) -> Self {
                ($($name::read(from),)+)
            }
        }
    )* };
}
#[cfg(ink_abi = "all")]
tuples!(A B, A B C, A B C D, A B C D E, A B C D E F, A B C D E F G, A B C D E F G H, A B C D E F G H I, A B C D E F G H I J, A B C D E F G H I J K, A B C D E F G H I J K L);

#[cfg(test)]
mod tests {
    use super::*;

    fn word(low: &[u8]) -> Vec<u8> {
        [vec![0; 32 - low.len()], low.to_vec()].concat()
    }

    /// Off chain there is no call to end, so a refusal is a panic.
    fn refused<T>(data: Vec<u8>, read: impl FnOnce(&mut Input) -> T + std::panic::UnwindSafe) -> bool {
        std::panic::catch_unwind(move || read(&mut Input::new(data))).is_err()
    }

    #[test]
    fn what_an_answer_says_its_reader_reads() {
        let mut answer = Output::default();
        answer.number(7u8).u64(64).bytes(&[1, 2, 3]);
        assert_eq!(answer.0, [word(&[7]), word(&[64]), word(&[3]), [vec![1, 2, 3], vec![0; 29]].concat()].concat());
        let mut read = Input::new(answer.0);
        assert_eq!((read.u8(), read.bytes()), (7, vec![1, 2, 3]));
        let mut answer = Output::default();
        answer.u64(64).number(9u32).numbers([4, 5].into_iter());
        let mut list = Input::new(answer.0);
        assert_eq!((list.array(Input::u32), list.u32()), (vec![4, 5], 9));
    }

    #[test]
    fn a_number_above_its_type_and_an_address_with_high_bytes_are_refused() {
        for bad in [word(&[1, 0]), [vec![1], vec![0; 31]].concat()] {
            assert!(refused(bad, Input::u8));
        }
        assert!(refused([vec![1; 12], vec![2; 20]].concat(), Input::address));
    }

    #[test]
    fn data_that_ends_early_or_points_outside_is_refused_and_never_read() {
        for cut in 0..64 {
            assert!(refused(vec![0; cut], Input::number), "{cut} bytes");
            assert!(refused(vec![0; cut], Input::signature), "{cut} bytes");
        }
        for (at, len) in [(0xffff_ffffu32, 0u32), (32, 0xffff_ffff), (64, 1)] {
            let data = [word(&at.to_be_bytes()), word(&len.to_be_bytes())].concat();
            assert!(refused(data.clone(), Input::bytes), "bytes at {at}, {len} long");
            assert!(refused(data, |a| a.array(Input::u128)), "array at {at}, {len} long");
        }
    }
}
