//! What must hold of the blob, of rounding, of relay fees and of signatures for every input, not only for those of the vectors.

use proptest::{collection::btree_map, prelude::*, sample::Index};
use rivulet_core::{
    amount::{MAX_AMOUNT, NATIVE_GRAIN, floor_to_grain, grain},
    blob::{Blob, BlobError, Item, MAX_BLOB_BYTES, MAX_ROWS, Payload, StreamRow, VoucherRow, encode},
    fee::{BPS, RelayTerms, relay_fee, share_bps},
    ids::Address,
    signature::{CompactSignature, HALF_ORDER},
    varint::{self, Cursor},
};
use std::{collections::BTreeMap, fmt::Debug};

const TOKEN: Address = Address([7; 20]);

// ---- inputs

/// Numbers of every length, the ends among them.
fn any_u128() -> impl Strategy<Value = u128> {
    prop_oneof![1 => Just(0), 1 => Just(u128::MAX), 8 => (any::<u128>(), 0..128u32).prop_map(|(n, shift)| n >> shift)]
}

fn any_u32() -> impl Strategy<Value = u32> {
    prop_oneof![1 => Just(0), 1 => Just(u32::MAX), 4 => 0..300u32, 4 => (any::<u32>(), 0..32u32).prop_map(|(n, shift)| n >> shift)]
}

fn any_compact() -> impl Strategy<Value = CompactSignature> {
    any::<([u8; 32], [u8; 32])>().prop_map(|(r, s)| CompactSignature([r, s].concat().try_into().expect("64 bytes")))
}

fn voucher_row() -> impl Strategy<Value = VoucherRow> {
    (any_u128(), any_compact()).prop_map(|(cumulative_amount, signature)| VoucherRow { cumulative_amount, signature })
}

type Rows<P> = BTreeMap<u32, P>;
type Groups<P> = BTreeMap<u32, (bool, Rows<P>)>;

fn rows<P: Debug>(row: impl Strategy<Value = P>) -> impl Strategy<Value = Rows<P>> {
    btree_map(any_u32(), row, 1..6)
}

fn vouchers() -> impl Strategy<Value = Groups<VoucherRow>> {
    btree_map(any_u32(), (any::<bool>(), rows(voucher_row())), 1..5)
}

fn streams() -> impl Strategy<Value = Groups<StreamRow>> {
    btree_map(any_u32(), (any::<bool>(), rows(Just(StreamRow))), 1..5)
}

/// Bytes that look enough like a blob to get past its first bytes now and then.
fn blob_like(version: u8) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![8 => 0..3u8, 1 => Just(0x80u8), 1 => any::<u8>()];
    prop::collection::vec(byte, 0..200).prop_map(move |tail| [vec![version], tail].concat())
}

fn token() -> impl Strategy<Value = Address> {
    prop_oneof![Just(Address::ZERO), Just(TOKEN)]
}

fn any_bps() -> impl Strategy<Value = u16> {
    prop_oneof![4 => 0..=BPS, 1 => any::<u16>()]
}

fn relay_terms() -> impl Strategy<Value = RelayTerms> {
    (any_bps(), any_u128(), any_u128(), any::<u64>()).prop_map(|(fee_bps, flat_fee, min_gain, until)| RelayTerms {
        beneficiary: Address([1; 20]),
        fee_bps,
        flat_fee,
        min_gain,
        until,
    })
}

// ---- the blob

fn content<P: Payload>(bytes: &[u8]) -> Result<Groups<P>, BlobError> {
    let mut reader = Blob::parse::<P>(bytes).map_err(|(e, _)| e)?.reader::<P>();
    let mut groups = Groups::new();
    while let Some(item) = reader.next_item()? {
        match item {
            Item::Group(g) => assert!(groups.insert(g.book, (g.fund_new, Rows::new())).is_none(), "a book stands once"),
            Item::Row(n, payload) => {
                let rows = &mut groups.get_mut(&n.book).expect("its group came before").1;
                assert!(rows.insert(n.serial, payload).is_none(), "a row stands once");
            }
        }
    }
    Ok(groups)
}

/// Refused, or read and written again to the very same bytes.
fn one_writing<P: Payload>(bytes: &[u8]) -> Option<Groups<P>> {
    let groups = content::<P>(bytes).ok()?;
    assert_eq!(encode(&groups), bytes);
    Some(groups)
}

fn check_flip<P: Payload + PartialEq + Debug>(groups: &Groups<P>, at: Index, mask: u8) {
    let mut bytes = encode(groups);
    let at = at.index(bytes.len());
    bytes[at] ^= mask;
    assert_ne!(one_writing(&bytes).as_ref(), Some(groups));
}

fn check_cuts<P: Payload + PartialEq + Debug>(groups: &Groups<P>) {
    let blob = encode(groups);
    for end in 0..blob.len() {
        assert_eq!(content::<P>(&blob[..end]), Err(BlobError::Truncated), "cut at {end} of {}", blob.len());
    }
}

proptest! {
    #[test]
    fn reading_what_was_written_gives_it_back(vouchers in vouchers(), streams in streams()) {
        prop_assert_eq!(content(&encode(&vouchers)), Ok(vouchers));
        prop_assert_eq!(content(&encode(&streams)), Ok(streams));
    }

    #[test]
    fn a_blob_that_was_cut_short_is_refused_wherever_it_was_cut(vouchers in vouchers(), streams in streams()) {
        check_cuts(&vouchers);
        check_cuts(&streams);
    }

    #[test]
    fn a_blob_with_a_changed_byte_is_refused_or_is_the_one_writing_of_something_else(
        vouchers in vouchers(), streams in streams(), at: Index, mask in 1..=255u8,
    ) {
        check_flip(&vouchers, at, mask);
        check_flip(&streams, at, mask);
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_are_the_one_writing_of_what_they_say(
        noise in prop::collection::vec(any::<u8>(), 0..400),
        channels in blob_like(VoucherRow::VERSION),
        streams in blob_like(StreamRow::VERSION),
    ) {
        one_writing::<VoucherRow>(&noise);
        one_writing::<StreamRow>(&noise);
        one_writing::<VoucherRow>(&channels);
        one_writing::<StreamRow>(&streams);
    }

    #[test]
    fn a_blob_of_one_contract_is_refused_by_the_other(vouchers in vouchers(), streams in streams()) {
        prop_assert_eq!(content::<StreamRow>(&encode(&vouchers)), Err(BlobError::Version));
        prop_assert_eq!(content::<VoucherRow>(&encode(&streams)), Err(BlobError::Version));
    }

    #[test]
    fn a_varint_reads_as_what_was_written_and_has_no_other_form(n in any_u128(), noise in prop::collection::vec(any::<u8>(), 0..24)) {
        let written = |n| {
            let mut out = vec![];
            varint::write(&mut out, n);
            out
        };
        prop_assert_eq!(Cursor::new(&written(n)).u128(), Ok(n));
        let mut cursor = Cursor::new(&noise);
        if let Ok(m) = cursor.u128() {
            prop_assert_eq!(&written(m)[..], &noise[..cursor.at()]);
        }
    }
}

/// One group of stream rows from serial 0.
fn stream_run(rows: u32) -> Vec<u8> {
    encode(&Groups::from([(1, (false, (0..rows).map(|serial| (serial, StreamRow)).collect()))]))
}

#[test]
fn the_most_rows_are_read_and_one_more_is_refused_even_in_another_group() {
    assert_eq!(Blob::parse::<StreamRow>(&stream_run(MAX_ROWS)).expect("as many as allowed").rows(), MAX_ROWS);
    assert_eq!(content::<StreamRow>(&stream_run(MAX_ROWS + 1)), Err(BlobError::Oversized));
    let mut one_more = [&stream_run(MAX_ROWS)[..], &[0, 0, 1, 0]].concat();
    one_more[1] = 2;
    assert_eq!(content::<StreamRow>(&one_more), Err(BlobError::Oversized));
}

/// Channel rows of one group, the first few amounts so short that the blob has this length.
fn channel_blob_of(length: usize) -> Vec<u8> {
    // A row of the widest amount has 84 bytes (serial 1, amount 19, signature 64); before the rows there are 6 (version, groups, flags, book, count 2).
    let rows = (length - 6).div_ceil(84);
    let mut spare = rows * 84 + 6 - length;
    let row = |serial: usize| {
        let cut = spare.min(18);
        spare -= cut;
        let cumulative_amount = if cut == 0 { u128::MAX } else { 1 << (7 * (18 - cut)) };
        (serial as u32, VoucherRow { cumulative_amount, signature: CompactSignature([1; 64]) })
    };
    encode(&Groups::from([(1, (false, (0..rows).map(row).collect()))]))
}

#[test]
fn the_longest_blob_is_read_and_one_byte_more_is_refused() {
    let (longest, longer) = (channel_blob_of(MAX_BLOB_BYTES), channel_blob_of(MAX_BLOB_BYTES + 1));
    assert_eq!((longest.len(), longer.len()), (MAX_BLOB_BYTES, MAX_BLOB_BYTES + 1));
    assert!(content::<VoucherRow>(&longest).is_ok());
    assert_eq!(content::<VoucherRow>(&longer), Err(BlobError::Oversized));
}

// ---- amounts and fees

/// `⌊a · b / d⌋` by long division, a bit at a time: slow, and nothing like the code it checks. For `b ≤ d < 2^63`.
fn slow_mul_div(a: u128, b: u128, d: u128) -> u128 {
    let step = |(quotient, remainder): (u128, u128), bit: u32| {
        let next = 2 * remainder + b * ((a >> bit) & 1);
        (2 * quotient + next / d, next % d)
    };
    (0..128).rev().fold((0, 0), step).0
}

proptest! {
    #[test]
    fn a_share_is_the_exact_product_rounded_down(a in any_u128(), bps in 0..=BPS) {
        prop_assert_eq!(share_bps(a, bps), slow_mul_div(a, bps.into(), BPS.into()));
        if let Some(product) = a.checked_mul(bps.into()) {
            prop_assert_eq!(share_bps(a, bps), product / u128::from(BPS));
        }
    }

    #[test]
    fn a_share_of_more_than_the_whole_is_the_whole(a in any_u128(), bps in BPS..) {
        prop_assert_eq!(share_bps(a, bps), a);
    }

    #[test]
    fn a_fee_is_never_above_the_gain_nor_above_the_ceiling(
        terms in relay_terms(), ceiling in any_bps(), token in token(), gain in any_u128(), now: u64,
    ) {
        let fee = relay_fee(&terms, ceiling, &token, gain, now);
        prop_assert!(fee <= gain);
        prop_assert!(fee <= share_bps(gain, ceiling));
    }

    #[test]
    fn a_fee_never_falls_when_the_gain_grows(
        terms in relay_terms(), ceiling in any_bps(), token in token(), a in any_u128(), b in any_u128(), now: u64,
    ) {
        let fee = |gain| relay_fee(&terms, ceiling, &token, gain, now);
        prop_assert!(fee(a.min(b)) <= fee(a.max(b)));
    }

    #[test]
    fn a_fee_is_what_the_terms_ask_for_within_the_ceiling(terms in relay_terms(), ceiling in any_bps(), gain in 0..=MAX_AMOUNT) {
        let terms = RelayTerms { until: u64::MAX, min_gain: gain, ..terms };
        let asked = share_bps(gain, terms.fee_bps).saturating_add(terms.flat_fee);
        prop_assert_eq!(relay_fee(&terms, ceiling, &TOKEN, gain, 0), asked.min(share_bps(gain, ceiling)));
    }

    #[test]
    fn there_is_no_fee_without_a_beneficiary_nor_once_the_terms_have_ended_nor_below_the_least_gain(
        terms in relay_terms(), ceiling in any_bps(), token in token(), gain in 0..u128::MAX, now: u64,
    ) {
        let nobody = RelayTerms { beneficiary: Address::ZERO, ..terms };
        let ended = RelayTerms { until: now, ..terms };
        let above = RelayTerms { min_gain: gain + 1, ..terms };
        for none in [nobody, ended, above] {
            prop_assert_eq!(relay_fee(&none, ceiling, &token, gain, now), 0);
        }
    }

    #[test]
    fn terms_that_are_no_worse_never_pay_less(
        terms in relay_terms(), other in relay_terms(), ceiling in any_bps(), token in token(), gain in any_u128(), now: u64,
    ) {
        let better = RelayTerms {
            beneficiary: terms.beneficiary,
            fee_bps: terms.fee_bps.max(other.fee_bps),
            flat_fee: terms.flat_fee.max(other.flat_fee),
            min_gain: terms.min_gain.min(other.min_gain),
            until: terms.until.max(other.until),
        };
        prop_assert!(terms.is_no_worse(&better));
        for next in [better, other] {
            let pays_less = relay_fee(&next, ceiling, &token, gain, now) < relay_fee(&terms, ceiling, &token, gain, now);
            prop_assert!(!(terms.is_no_worse(&next) && pays_less));
        }
    }

    #[test]
    fn a_floor_is_the_largest_movable_amount_that_is_not_above(amount in any_u128(), token in token()) {
        let floor = floor_to_grain(&token, amount);
        prop_assert!(floor <= amount && amount - floor < grain(&token));
        prop_assert_eq!(floor % grain(&token), 0);
        prop_assert_eq!(floor_to_grain(&token, floor), floor);
    }

    #[test]
    fn a_native_fee_can_always_move(terms in relay_terms(), ceiling in any_bps(), gain in any_u128(), now: u64) {
        prop_assert_eq!(relay_fee(&terms, ceiling, &Address::ZERO, gain, now) % NATIVE_GRAIN, 0);
    }
}

// ---- signatures

type Scalar = [u8; 32];

fn any_r() -> impl Strategy<Value = Scalar> {
    any::<Scalar>().prop_filter("not zero", |r| *r != [0; 32])
}

/// From 1 to half the order, the order's half among them.
fn low_s() -> impl Strategy<Value = Scalar> {
    let below = any::<Scalar>().prop_map(|[head, tail @ ..]| {
        let mut s = [head & 0x3f; 32];
        s[1..].copy_from_slice(&tail);
        s
    });
    prop_oneof![1 => Just(HALF_ORDER), 8 => below].prop_filter("not zero", |s| *s != [0; 32])
}

fn joined(r: Scalar, s: Scalar, v: u8) -> [u8; 65] {
    [&r[..], &s[..], &[v][..]].concat().try_into().expect("65 bytes")
}

/// `a − b` modulo 2^256.
fn minus(a: Scalar, b: Scalar) -> Scalar {
    let (mut out, mut borrow) = ([0; 32], false);
    for i in (0..32).rev() {
        let (d, under) = a[i].overflowing_sub(b[i]);
        let (d, again) = d.overflowing_sub(borrow.into());
        (out[i], borrow) = (d, under || again);
    }
    out
}

/// The order less s: since the order is odd, `half + (half + 1) − s`.
fn mirrored(s: Scalar) -> Scalar {
    let minus_half_less_one = minus(minus([0; 32], HALF_ORDER), [[0; 31].as_slice(), &[1]].concat().try_into().expect("32 bytes"));
    minus(minus(HALF_ORDER, s), minus_half_less_one)
}

proptest! {
    #[test]
    fn a_good_signature_keeps_its_parts_through_the_compact_form(r in any_r(), s in low_s(), v in 27..=28u8) {
        let compact = CompactSignature::from_65(&joined(r, s, v)).expect("a low s");
        let split = compact.split().expect("what was accepted can be taken apart");
        prop_assert_eq!((split.r, split.s, split.v), (r, s, v));
        prop_assert_eq!(CompactSignature::from_65(&joined(r, s, v - 27)), Some(compact));
    }

    #[test]
    fn a_signature_has_one_form_so_its_mirror_image_is_refused(r in any_r(), s in low_s(), v in 27..=28u8) {
        prop_assert_eq!(mirrored(mirrored(s)), s);
        prop_assert_eq!(CompactSignature::from_65(&joined(r, mirrored(s), 55 - v)), None);
    }

    #[test]
    fn whatever_can_be_taken_apart_can_be_put_together_again(compact in any_compact()) {
        if let Some(split) = compact.split() {
            prop_assert!(split.s <= HALF_ORDER);
            prop_assert_eq!(CompactSignature::from_65(&joined(split.r, split.s, split.v)), Some(compact));
        }
    }

    #[test]
    fn no_v_but_the_four_is_accepted(r in any_r(), s in low_s(), v: u8) {
        prop_assert_eq!(CompactSignature::from_65(&joined(r, s, v)).is_some(), [0, 1, 27, 28].contains(&v));
    }
}
