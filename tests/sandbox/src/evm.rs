//! Payees that misbehave, in a few bytes of EVM code each: the Hub runs it beside PolkaVM, so anybody can deploy such a payee.

use crate::{Bundle, Party, Sandbox};
use rivulet_core::ids::Address;

mod op {
    pub const STOP: u8 = 0x00;
    pub const ISZERO: u8 = 0x15;
    pub const CALLVALUE: u8 = 0x34;
    pub const CODECOPY: u8 = 0x39;
    pub const POP: u8 = 0x50;
    pub const SSTORE: u8 = 0x55;
    pub const JUMP: u8 = 0x56;
    pub const JUMPI: u8 = 0x57;
    pub const GAS: u8 = 0x5a;
    pub const JUMPDEST: u8 = 0x5b;
    pub const PUSH1: u8 = 0x60;
    pub const PUSH2: u8 = 0x61;
    pub const PUSH3: u8 = 0x62;
    pub const PUSH20: u8 = 0x73;
    pub const CALL: u8 = 0xf1;
    pub const RETURN: u8 = 0xf3;
    pub const REVERT: u8 = 0xfd;
    pub const INVALID: u8 = 0xfe;
}

/// Takes what it is sent.
pub const ACCEPTS: &[u8] = &[op::STOP];
/// Refuses politely.
pub const REVERTS: &[u8] = &[op::PUSH1, 0, op::PUSH1, 0, op::REVERT];
/// Traps.
pub const TRAPS: &[u8] = &[op::INVALID];
/// Runs until it is stopped.
pub const BURNS_GAS: &[u8] = &[op::JUMPDEST, op::PUSH1, 0, op::JUMP];
/// Reverts with 128 KB.
pub const REVERTS_AT_LENGTH: &[u8] = &[op::PUSH3, 0x01, 0xff, 0xff, op::PUSH1, 0, op::REVERT];
/// Writes a new storage cell, for which the transaction's sender would pay.
pub const GROWS_STORAGE: &[u8] = &[op::CALLVALUE, op::PUSH1, 7, op::SSTORE, op::STOP];

/// Calls `target` with `calldata` when it is paid. `insists`: refuses the money when that call fails; otherwise it takes it all the same.
pub fn calls_back(target: Address, calldata: &[u8], insists: bool) -> Vec<u8> {
    let length = u16::try_from(calldata.len()).unwrap_or(u16::MAX).to_be_bytes();
    // Two passes: the code's own length, where the calldata begins, has to be known inside it.
    let code = |data_at: u16, fail_at: u8| {
        let mut code =
            vec![op::PUSH2, length[0], length[1], op::PUSH2, data_at.to_be_bytes()[0], data_at.to_be_bytes()[1], op::PUSH1, 0, op::CODECOPY];
        // out size, out offset, in size, in offset, value
        code.extend([op::PUSH1, 0, op::PUSH1, 0, op::PUSH2, length[0], length[1], op::PUSH1, 0, op::PUSH1, 0, op::PUSH20]);
        code.extend(target.0);
        code.extend([op::GAS, op::CALL]);
        if insists {
            code.extend([op::ISZERO, op::PUSH1, fail_at, op::JUMPI, op::STOP]);
        } else {
            code.extend([op::POP, op::STOP]);
        }
        let fail_at = code.len() as u8;
        code.extend([op::JUMPDEST, op::PUSH1, 0, op::PUSH1, 0, op::REVERT]);
        (fail_at, code)
    };
    let (fail_at, first) = code(0, 0);
    let (_, mut whole) = code(first.len() as u16, fail_at);
    whole.extend(calldata);
    whole
}

/// Sends what it is paid on to `to`.
pub fn forwards(to: Address) -> Vec<u8> {
    let mut code = vec![op::PUSH1, 0, op::PUSH1, 0, op::PUSH1, 0, op::PUSH1, 0, op::CALLVALUE, op::PUSH20];
    code.extend(to.0);
    code.extend([op::GAS, op::CALL, op::ISZERO, op::PUSH1, 37, op::JUMPI, op::STOP]);
    debug_assert_eq!(code.len(), 37);
    code.extend([op::JUMPDEST, op::PUSH1, 0, op::PUSH1, 0, op::REVERT]);
    code
}

/// Code that leaves `runtime_code` as the contract.
pub(crate) fn init_code(runtime_code: &[u8]) -> Vec<u8> {
    const HEAD: u8 = 15;
    let [high, low] = u16::try_from(runtime_code.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut code = vec![op::PUSH2, high, low, op::PUSH2, 0, HEAD, op::PUSH1, 0, op::CODECOPY, op::PUSH2, high, low, op::PUSH1, 0, op::RETURN];
    debug_assert_eq!(code.len(), usize::from(HEAD));
    code.extend(runtime_code);
    code
}

impl Sandbox {
    /// Deploys EVM code.
    ///
    /// # Panics
    ///
    /// When it cannot be deployed.
    #[track_caller]
    pub fn deploy_evm(&mut self, who: &Party, runtime_code: &[u8]) -> Address {
        let deployed = self.deploy(who, &Bundle::evm(runtime_code).code, Vec::new());
        deployed.bytes();
        deployed.contract
    }
}
