//! Any bytes as a batch: refused whole, or the one writing of what they say; and no batch makes a contract without records change or pay anything.
#![no_main]

#[path = "../../core/tests/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;
use rivulet_core::{
    blob::{Blob, Item, Payload, StreamRow, VoucherRow, encode},
    channel, stream,
};
use std::collections::BTreeMap;
use support::{RELAYER, world};

fn one_writing<P: Payload>(bytes: &[u8]) -> Option<u32> {
    let blob = Blob::parse::<P>(bytes).ok()?;
    let mut groups: BTreeMap<u32, (bool, BTreeMap<u32, P>)> = BTreeMap::new();
    let mut reader = blob.reader::<P>();
    while let Some(item) = reader.next_item().expect("it was parsed") {
        match item {
            Item::Group(g) => assert!(groups.insert(g.book, (g.fund_new, BTreeMap::new())).is_none(), "a book stands once"),
            Item::Row(n, row) => assert!(groups.get_mut(&n.book).expect("its group").1.insert(n.serial, row).is_none(), "a serial stands once"),
        }
    }
    assert_eq!(encode(&groups), bytes, "another writing of the same");
    Some(blob.rows())
}

fuzz_target!(|bytes: &[u8]| {
    let mut h = world();
    let before = h.cells.clone();
    for (rows, outcomes) in [
        (one_writing::<VoucherRow>(bytes), h.call(RELAYER, 0, |h| channel::claim_batch(h, bytes)).ok()),
        (one_writing::<StreamRow>(bytes), h.call(RELAYER, 0, |h| stream::claim_batch(h, bytes)).ok()),
    ] {
        assert_eq!(rows, outcomes.map(|o| o.len() as u32), "a blob is taken exactly when it can be read, with an outcome for each row");
    }
    assert_eq!(h.cells, before);
});
