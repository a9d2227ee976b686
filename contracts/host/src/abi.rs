//! Arguments and answers in Solidity's ABI. ink! has the selectors and the dispatch; its decoders and encoders, unfolded for every call, would be a third
//! of a contract's code, so a message takes its [`Args`] as they came, and [`finish`](crate::finish) writes its answer. Source: Solidity ABI specification.

use core::marker::PhantomData;

use crate::syscalls;
use ink::{
    prelude::vec::Vec,
    primitives::Address,
    sol::{DynBytes, FixedBytes},
};
use rivulet_core::{
    error::Error,
    ids::{self, Number},
    signature::CompactSignature,
};

/// The parameters of a call: one type a call, declared by [`args!`](crate::args).
pub trait Params {
    /// Solidity's names of their types, as they stand between the brackets of the call's signature.
    const TYPES: &'static str;
    /// Where they begin in the calldata: after the selector.
    const AT: u32 = 4;
}

/// Declares the parameters of calls.
#[macro_export]
macro_rules! args {
    ($($(#[$doc:meta])* $name:ident = $types:literal $(at $at:literal)?;)*) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl $crate::abi::Params for $name {
            const TYPES: &'static str = $types;
            $(const AT: u32 = $at;)?
        }
    )* };
}

/// The arguments of a call as they came: one parameter for ink!, all of `P` for Solidity.
#[derive(Debug)]
pub struct Args<P>(Vec<u8>, PhantomData<P>);

impl<P: Params> ink::SolDecode for Args<P> {
    type SolType = ();
    const SOL_NAME: &'static str = P::TYPES;
    /// ink! hands over its whole buffer of 128 KiB, the rest of it zeros: the calldata itself ends where it ends.
    fn decode(_: &[u8]) -> Result<Self, ink::sol::Error> {
        Ok(Self(syscalls::calldata(P::AT), PhantomData))
    }
    fn from_sol_type((): ()) -> Result<Self, ink::sol::Error> {
        Err(ink::sol::Error)
    }
}

/// Called by ink!'s own selectors the arguments come in SCALE: they are turned into Solidity's words.
impl<P: Params> ink::scale::Decode for Args<P> {
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
        let mut out = Output { words: P::TYPES.split(',').count().saturating_mul(32), ..Output::default() };
        for of in P::TYPES.split(',') {
            if of == "bytes" {
                let bytes = <Vec<u8> as ink::scale::Decode>::decode(input)?;
                out.points_to(bytes.len(), &bytes);
            } else if let Some(of) = of.strip_suffix("[]") {
                let len = <ink::scale::Compact<u32> as ink::scale::Decode>::decode(input)?.0;
                let mut items = Vec::new();
                for _ in 0..len {
                    items.extend_from_slice(&word(of, input)?);
                }
                out.points_to(len as usize, &items);
            } else {
                out.low(&word(of, input)?);
            }
        }
        Ok(Self(out.bytes(), PhantomData))
    }
}

impl<P> ink::scale::Encode for Args<P> {
    fn encode_to<O: ink::scale::Output + ?Sized>(&self, out: &mut O) {
        self.0.encode_to(out);
    }
}

#[cfg(feature = "std")]
impl<P: Params + 'static> ink::scale_info::TypeInfo for Args<P> {
    type Identity = Self;
    fn type_info() -> ink::scale_info::Type {
        let path = ink::scale_info::Path::from_segments([P::TYPES]).unwrap_or_else(|_| ink::scale_info::Path::new("Args", module_path!()));
        ink::scale_info::Type::builder().path(path).composite(ink::scale_info::build::Fields::unit())
    }
}

impl<P> Args<P> {
    /// Reads them from the front.
    pub fn read(self) -> Input {
        Input { data: self.0, at: 0, bad: false }
    }
}

/// Arguments, read from the front. What cannot be read is zero, and [`Input::end`] refuses the call.
#[derive(Debug)]
pub struct Input {
    data: Vec<u8>,
    at: usize,
    bad: bool,
}

impl Input {
    /// The last `N` bytes of the next word, whose others are zero.
    fn low<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    #[inline(never)]
    fn fill(&mut self, out: &mut [u8]) {
        let end = self.at.saturating_add(32);
        let word = self.data.get(self.at..end).and_then(|word| word.split_at_checked(32usize.saturating_sub(out.len())));
        match word {
            Some((high, low)) if high.iter().all(|b| *b == 0) => out.copy_from_slice(low),
            _ => self.bad = true,
        }
        self.at = end;
    }

    /// `address`
    pub fn address(&mut self) -> ids::Address {
        ids::Address(self.low())
    }
    /// `bytes32`
    pub fn bytes32(&mut self) -> [u8; 32] {
        self.low()
    }
    /// `uint8`
    pub fn u8(&mut self) -> u8 {
        let [v] = self.low();
        v
    }
    /// `uint16`
    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.low())
    }
    /// `uint32`
    #[inline(never)]
    pub fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.low())
    }
    /// `uint64`
    #[inline(never)]
    pub fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.low())
    }
    /// `uint128`
    #[inline(never)]
    pub fn u128(&mut self) -> u128 {
        u128::from_be_bytes(self.low())
    }
    /// `uint32 book, uint32 serial`
    pub fn number(&mut self) -> Number {
        Number { book: self.u32(), serial: self.u32() }
    }
    /// `bytes32 r, bytes32 yParityAndS`
    pub fn signature(&mut self) -> CompactSignature {
        let mut signature = [0; 64];
        let (r, s) = signature.split_at_mut(32);
        self.fill(r);
        self.fill(s);
        CompactSignature(signature)
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
        self.tail(|input, len| {
            let bytes = input.data.get(input.at..input.at.saturating_add(len)).map(<[u8]>::to_vec);
            input.bad |= bytes.is_none();
            bytes.unwrap_or_default()
        })
    }

    /// An array. A length that is a lie ends at the end of the data.
    pub fn array<T>(&mut self, item: impl Fn(&mut Self) -> T) -> Vec<T> {
        self.tail(|input, len| {
            let mut out = Vec::new();
            while out.len() < len && !input.bad {
                out.push(item(input));
            }
            out
        })
    }

    /// Refuses the call if anything could not be read.
    pub fn end(&self) -> Result<(), Error> {
        if self.bad { Err(Error::BadArguments {}) } else { Ok(()) }
    }
}

/// An answer while it is written: words, and after them what some of them point to.
#[derive(Debug, Default)]
pub struct Output {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Bytes of all words.
    words: usize,
}

impl Output {
    #[inline(never)]
    fn low(&mut self, bytes: &[u8]) {
        self.head.resize(self.head.len().saturating_add(32usize.saturating_sub(bytes.len())), 0);
        self.head.extend_from_slice(bytes);
    }

    /// A word that points to `bytes`, after their length in `items`.
    fn points_to(&mut self, items: usize, bytes: &[u8]) {
        self.low(&self.words.saturating_add(self.tail.len()).to_be_bytes());
        let mut tail = Output { head: core::mem::take(&mut self.tail), ..Self::default() };
        tail.low(&items.to_be_bytes());
        tail.head.extend_from_slice(bytes);
        tail.head.resize(tail.head.len().next_multiple_of(32), 0);
        self.tail = tail.head;
    }

    /// The whole answer.
    pub fn bytes(mut self) -> Vec<u8> {
        self.head.append(&mut self.tail);
        self.head
    }
}

/// A value of an answer.
pub trait Value {
    /// Writes it.
    fn put(&self, out: &mut Output);
}

macro_rules! values {
    ($($ty:ty: |$v:ident| $bytes:expr),*) => { $(
        impl Value for $ty {
            fn put(&self, out: &mut Output) {
                let $v = self;
                out.low($bytes);
            }
        }
    )* };
}
values!(
    bool: |v| &[u8::from(*v)],
    u8: |v| &[*v],
    u16: |v| &v.to_be_bytes(),
    u32: |v| &v.to_be_bytes(),
    u64: |v| &v.to_be_bytes(),
    u128: |v| &v.to_be_bytes(),
    Address: |v| &v.0,
    FixedBytes<32>: |v| &v.0
);

impl Value for DynBytes {
    fn put(&self, out: &mut Output) {
        out.points_to(self.0.len(), &self.0);
    }
}

impl Value for Vec<u32> {
    fn put(&self, out: &mut Output) {
        let mut items = Output::default();
        for v in self {
            v.put(&mut items);
        }
        out.points_to(self.len(), &items.head);
    }
}

/// What a call answers with: nothing, one value, or a tuple.
pub trait Answer {
    /// How many words stand before the tails.
    const WORDS: usize;
    /// Writes it.
    fn put_all(&self, out: &mut Output);

    /// All of it.
    fn encode(&self) -> Vec<u8> {
        let mut out = Output { head: Vec::with_capacity(Self::WORDS.saturating_mul(32)), tail: Vec::new(), words: Self::WORDS.saturating_mul(32) };
        self.put_all(&mut out);
        out.bytes()
    }
}

impl Answer for () {
    const WORDS: usize = 0;
    fn put_all(&self, _: &mut Output) {}
}

macro_rules! single {
    ($($ty:ty),*) => { $(
        impl Answer for $ty {
            const WORDS: usize = 1;
            fn put_all(&self, out: &mut Output) {
                self.put(out);
            }
        }
    )* };
}
single!(bool, u8, u32, u64, u128, Address, FixedBytes<32>, DynBytes, Vec<u32>);

macro_rules! tuples {
    ($($($name:ident)+),*) => { $(
        #[allow(non_snake_case, reason = "a type's variable has its name")]
        impl<$($name: Value),+> Answer for ($($name,)+) {
            const WORDS: usize = [$(stringify!($name)),+].len();
            fn put_all(&self, out: &mut Output) {
                let ($($name,)+) = self;
                $($name.put(out);)+
            }
        }
    )* };
}
tuples!(A B, A B C, A B C D E F, A B C D E F G H, A B C D E F G H I J K L);

#[cfg(test)]
mod tests {
    use super::*;

    fn input(data: Vec<u8>) -> Input {
        Input { data, at: 0, bad: false }
    }

    fn word(low: &[u8]) -> Vec<u8> {
        [vec![0; 32 - low.len()], low.to_vec()].concat()
    }

    #[test]
    fn what_an_answer_says_its_reader_reads() {
        let answer = (7u8, DynBytes(vec![1, 2, 3])).encode();
        assert_eq!(answer, [word(&[7]), word(&[64]), word(&[3]), [vec![1, 2, 3], vec![0; 29]].concat()].concat());
        let mut read = input(answer);
        assert_eq!((read.u8(), read.bytes(), read.end()), (7, vec![1, 2, 3], Ok(())));
        let mut list = input((vec![4u32, 5], 9u32).encode());
        assert_eq!((list.array(Input::u32), list.u32(), list.end()), (vec![4, 5], 9, Ok(())));
        assert_eq!(().encode(), Vec::<u8>::new());
    }

    #[test]
    fn a_number_above_its_type_and_an_address_with_high_bytes_are_refused() {
        let refused = Err(Error::BadArguments {});
        for bad in [word(&[1, 0]), [vec![1], vec![0; 31]].concat()] {
            let mut read = input(bad);
            read.u8();
            assert_eq!(read.end(), refused);
        }
        let mut read = input([vec![1; 12], vec![2; 20]].concat());
        read.address();
        assert_eq!(read.end(), refused);
    }

    #[test]
    fn data_that_ends_early_or_points_outside_is_refused_and_never_read() {
        let refused = Err(Error::BadArguments {});
        for cut in 0..64 {
            let mut read = input(vec![0; cut]);
            read.number();
            assert_eq!(read.end(), refused, "{cut} bytes");
        }
        for (at, len) in [(0xffff_ffffu32, 0u32), (32, 0xffff_ffff), (64, 1)] {
            let data = [word(&at.to_be_bytes()), word(&len.to_be_bytes())].concat();
            let mut read = input(data.clone());
            assert_eq!(read.bytes(), Vec::<u8>::new());
            assert_eq!(read.end(), refused, "bytes at {at}, {len} long");
            let mut read = input(data);
            assert!(read.array(Input::u128).len() <= 1);
            assert_eq!(read.end(), refused, "array at {at}, {len} long");
        }
    }
}
