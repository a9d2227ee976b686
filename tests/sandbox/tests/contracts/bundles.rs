//! The bundles themselves, before anything runs.

use polkavm::ProgramBlob;
use rivulet_sandbox::Bundle;
use std::collections::BTreeSet;

/// A return address that is not the begin of a basic block is a jump into nowhere: the machine traps there. polkavm-linker (0.30, `writer.rs`) takes as
/// the width of its table of return addresses the bytes before the first zero byte of each, so a program whose last one is `0x0100xx` gets them cut to
/// 16 bits: code a little above 64 KB. Any change of its size heals it.
#[test]
fn every_address_that_code_may_return_to_begins_a_basic_block() {
    for bundle in [Bundle::channels(), Bundle::streams()] {
        let program = ProgramBlob::parse(bundle.code.as_slice().into()).expect("a PolkaVM program");
        let (mut begins, mut after_an_end) = (BTreeSet::new(), true);
        for instruction in program.instructions() {
            if after_an_end {
                begins.insert(instruction.offset);
            }
            after_an_end = instruction.kind.opcode().starts_new_basic_block();
        }
        let nowhere: Vec<_> = program.jump_table().iter().filter(|address| !begins.contains(address)).collect();
        assert!(nowhere.is_empty(), "a bundle of {} bytes returns to {nowhere:?}: change its size", bundle.code.len());
    }
}
