//! Transactions: signed, applied by the runtime's own `Executive`, and dry-run before, because a block tells neither what a call returned nor why it reverted.

use crate::{
    Cost, Failure, Log, Outcome, Party, Sandbox,
    money::{account_of, h160},
    sandbox::{events_of, length},
};
use codec::Encode;
use polkadot_sdk::{
    frame_support::{dispatch::DispatchClass, weights::Weight},
    frame_system, pallet_revive,
    pallet_revive::{Code, ExecConfig, StorageDeposit, TransactionLimits},
    pallet_transaction_payment,
    sp_core::{H160, Pair, U256},
    sp_runtime::{
        ApplyExtrinsicResult,
        generic::{Era, SignedPayload, UncheckedExtrinsic as Generic},
    },
};
use rivulet_core::ids::Address;
use rivulet_runtime::{
    AccountId, BlockWeights, Revive, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, System, TransactionPayment, TxExtension, UncheckedExtrinsic,
    genesis, hub,
};

/// What a transaction may use. By default nine tenths of what a block has for one transaction, and any deposit that its sender can pay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Time in picoseconds and bytes of proof.
    pub weight: Option<(u64, u64)>,
    /// Storage deposit, in planck.
    pub deposit_planck: Option<u128>,
}

impl Limits {
    /// Nothing for storage: what a relayer allows a claim.
    pub const NO_DEPOSIT: Self = Self { weight: None, deposit_planck: Some(0) };

    fn weight(&self) -> Weight {
        let all = BlockWeights::get().get(DispatchClass::Normal).max_extrinsic.unwrap_or(hub::MAXIMUM_BLOCK_WEIGHT);
        self.weight.map_or(all / 10 * 9, |(time, proof)| Weight::from_parts(time, proof))
    }

    fn deposit(&self) -> u128 {
        // Not u128::MAX: the pallet adds to it.
        self.deposit_planck.unwrap_or(u128::MAX / 4)
    }

    fn of_transaction(&self) -> TransactionLimits<Runtime> {
        TransactionLimits::WeightAndDeposit { weight_limit: self.weight(), deposit_limit: self.deposit() }
    }
}

#[derive(Clone)]
pub(crate) enum Action {
    Call { contract: H160, data: Vec<u8> },
    Deploy { code: Vec<u8>, data: Vec<u8> },
}

/// What the pallet answers to a call that is made directly.
pub(crate) struct Answer {
    pub(crate) result: Result<Vec<u8>, Failure>,
    pub(crate) contract: H160,
    pub(crate) deposit_planck: i128,
    pub(crate) weight: Weight,
    pub(crate) required: Weight,
}

impl Action {
    fn calldata_bytes(&self) -> u64 {
        let (Self::Call { data, .. } | Self::Deploy { data, .. }) = self;
        data.len() as u64
    }

    /// By the pallet, without a transaction around it.
    pub(crate) fn run(self, who: AccountId, value_wei: u128, limits: &Limits) -> Answer {
        let (origin, value) = (RuntimeOrigin::signed(who), U256::from(value_wei));
        let config = ExecConfig::new_substrate_tx();
        let (result, contract, deposit, weight, required) = match self {
            Self::Call { contract, data } => {
                let done = Revive::bare_call(origin, contract, value, limits.of_transaction(), data, &config);
                (done.result, contract, done.storage_deposit, done.weight_consumed, done.weight_required)
            }
            Self::Deploy { code, data } => {
                let done = Revive::bare_instantiate(origin, value, limits.of_transaction(), Code::Upload(code), data, None, &config);
                let contract = done.result.as_ref().map(|r| r.addr).unwrap_or_default();
                (done.result.map(|r| r.result), contract, done.storage_deposit, done.weight_consumed, done.weight_required)
            }
        };
        let result = match result {
            Ok(output) if output.did_revert() => Err(Failure::from_revert(&output.data)),
            Ok(output) => Ok(output.data),
            Err(e) => Err(Failure::from_dispatch(e)),
        };
        let deposit_planck = match deposit {
            _ if result.is_err() => 0,
            StorageDeposit::Charge(planck) => planck as i128,
            StorageDeposit::Refund(planck) => -(planck as i128),
        };
        Answer { result, contract, deposit_planck, weight, required }
    }

    fn into_call(self, value_planck: u128, limits: &Limits) -> RuntimeCall {
        let (value, weight_limit, storage_deposit_limit) = (value_planck, limits.weight(), limits.deposit());
        RuntimeCall::Revive(match self {
            Self::Call { contract: dest, data } => pallet_revive::Call::call { dest, value, weight_limit, storage_deposit_limit, data },
            Self::Deploy { code, data } => {
                pallet_revive::Call::instantiate_with_code { value, weight_limit, storage_deposit_limit, code, data, salt: None }
            }
        })
    }
}

/// What became of a transaction, by its block alone.
struct Applied {
    result: ApplyExtrinsicResult,
    logs: Vec<Log>,
    cost: Cost,
}

fn sign(call: RuntimeCall, who: &Party) -> UncheckedExtrinsic {
    let extension: TxExtension = (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        frame_system::CheckNonce::from(System::account_nonce(&who.account)),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
        pallet_revive::evm::tx_extension::SetOrigin::default(),
        frame_system::WeightReclaim::new(),
    );
    let payload = SignedPayload::new(call, extension).expect("the chain knows its own version and genesis");
    let signature = payload.using_encoded(|bytes| who.pair.sign(bytes));
    let (call, extension, _) = payload.deconstruct();
    Generic::new_signed(call, who.account.clone().into(), signature.into(), extension).into()
}

/// Weight without the base, and the fee, from a transaction's own events.
fn paid(events: &[RuntimeEvent]) -> (Weight, u128) {
    let (mut weight, mut fee) = (Weight::zero(), 0);
    for event in events {
        match event {
            RuntimeEvent::System(
                frame_system::Event::ExtrinsicSuccess { dispatch_info } | frame_system::Event::ExtrinsicFailed { dispatch_info, .. },
            ) => weight = dispatch_info.weight.saturating_sub(hub::EXTRINSIC_BASE_WEIGHT),
            RuntimeEvent::TransactionPayment(pallet_transaction_payment::Event::TransactionFeePaid { actual_fee, .. }) => fee = *actual_fee,
            _ => {}
        }
    }
    (weight, fee)
}

fn logs(events: Vec<RuntimeEvent>) -> Vec<Log> {
    let log = |event| match event {
        RuntimeEvent::Revive(pallet_revive::Event::ContractEmitted { contract, data, topics }) => {
            Some(Log { contract: Address(contract.0), topics: topics.into_iter().map(|t| t.0).collect(), data })
        }
        _ => None,
    };
    events.into_iter().filter_map(log).collect()
}

/// The fee at the Hub's lowest multiplier, from the fee at 1: base and length stay as they are.
fn at_low_multiplier(fee: u128, tx_bytes: u64) -> u128 {
    let fixed = TransactionPayment::weight_to_fee(hub::EXTRINSIC_BASE_WEIGHT)
        + TransactionPayment::length_to_fee(u32::try_from(tx_bytes).unwrap_or(u32::MAX));
    let of_weight = fee.saturating_sub(fixed);
    fee.saturating_sub(of_weight) + of_weight / 10
}

impl Sandbox {
    /// Deploys a contract.
    pub fn deploy(&mut self, who: &Party, code: &[u8], constructor: Vec<u8>) -> Outcome {
        self.submit(who, Action::Deploy { code: code.to_vec(), data: constructor }, 0, &Limits::default())
    }

    /// Calls a contract; or any address, which then just gets the value.
    pub fn call(&mut self, who: &Party, contract: Address, value_wei: u128, calldata: Vec<u8>) -> Outcome {
        self.call_within(who, contract, value_wei, calldata, &Limits::default())
    }

    /// The same within limits.
    pub fn call_within(&mut self, who: &Party, contract: Address, value_wei: u128, calldata: Vec<u8>, limits: &Limits) -> Outcome {
        self.submit(who, Action::Call { contract: h160(contract), data: calldata }, value_wei, limits)
    }

    /// Applies any call of the runtime, signed. Nothing is returned but that it went through.
    pub fn dispatch(&mut self, who: &Party, call: RuntimeCall) -> Outcome {
        let applied = self.apply(who, call);
        let result = match applied.result {
            Ok(Ok(())) => Ok(Vec::new()),
            Ok(Err(error)) => Err(Failure::from_dispatch(error)),
            Err(error) => Err(Failure::Invalid(error)),
        };
        Outcome { result, contract: Address::ZERO, logs: applied.logs, cost: applied.cost, required: (0, 0) }
    }

    fn submit(&mut self, who: &Party, action: Action, value_wei: u128, limits: &Limits) -> Outcome {
        let ratio = u128::from(hub::NATIVE_TO_ETH_RATIO);
        assert_eq!(value_wei % ratio, 0, "a signed transaction carries whole planck, not {value_wei} wei");
        let calldata_bytes = action.calldata_bytes();
        let dry = self.without_trace(|| {
            Revive::prepare_dry_run(&who.account);
            action.clone().run(who.account.clone(), value_wei, limits)
        });
        let applied = self.apply(who, action.into_call(value_wei / ratio, limits));
        let result = match (applied.result, dry.result) {
            (Ok(Ok(())), Ok(output)) => Ok(output),
            (Ok(Err(_)), Err(why)) => Err(why),
            // The dry run pays no fee, so it may succeed where the transaction could not.
            (Ok(Err(error)), Ok(_)) => Err(Failure::from_dispatch(error)),
            (Ok(Ok(())), Err(why)) => panic!("the transaction went through, but its dry run failed: {why:?}"),
            (Err(error), _) => Err(Failure::Invalid(error)),
        };
        let storage_deposit_planck = if result.is_ok() { dry.deposit_planck } else { 0 };
        let cost = Cost { calldata_bytes, storage_deposit_planck, ..applied.cost };
        let required = (dry.required.ref_time(), dry.required.proof_size());
        Outcome { result, contract: Address(dry.contract.0), logs: applied.logs, cost, required }
    }

    /// Applies one signed transaction, alone in its block.
    fn apply(&mut self, who: &Party, call: RuntimeCall) -> Applied {
        let (result, events, tx_bytes) = self.with(|| {
            let index = System::extrinsic_index().unwrap_or_default();
            let tx = sign(call, who);
            let tx_bytes = length(&tx);
            (rivulet_runtime::Executive::apply_extrinsic(tx), events_of(index), tx_bytes)
        });
        let (weight, fee_planck) = paid(&events);
        let cost = Cost {
            ref_time_ps: weight.ref_time(),
            proof_size_bytes: weight.proof_size(),
            tx_bytes,
            fee_planck,
            fee_low_planck: self.with(|| at_low_multiplier(fee_planck, tx_bytes)),
            ..Cost::default()
        };
        self.seal();
        Applied { result, logs: logs(events), cost }
    }

    /// Calls a contract as any address, without a transaction: no signature, nonce or fee. For Ethereum accounts, whose transactions the sandbox
    /// does not build, and for long random runs. The value may be any wei.
    pub fn call_as(&mut self, who: Address, contract: Address, value_wei: u128, calldata: Vec<u8>) -> Outcome {
        let calldata_bytes = calldata.len() as u64;
        let (answer, events) = self.with(|| {
            let before = System::event_count() as usize;
            let answer = Action::Call { contract: h160(contract), data: calldata }.run(account_of(who), value_wei, &Limits::default());
            (answer, System::read_events_no_consensus().skip(before).map(|record| record.event).collect())
        });
        let cost = Cost {
            ref_time_ps: answer.weight.ref_time(),
            proof_size_bytes: answer.weight.proof_size(),
            calldata_bytes,
            storage_deposit_planck: answer.deposit_planck,
            ..Cost::default()
        };
        self.seal();
        let required = (answer.required.ref_time(), answer.required.proof_size());
        Outcome { result: answer.result, contract, logs: logs(events), cost, required }
    }

    /// Asks a contract, changing nothing.
    ///
    /// # Errors
    ///
    /// When the contract refuses.
    pub fn view(&mut self, contract: Address, calldata: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let [anyone, ..] = genesis::ETH_ADDRESSES;
        let action = Action::Call { contract: h160(contract), data: calldata };
        self.without_trace(|| action.run(genesis::account_of(&anyone), 0, &Limits::default()).result)
    }
}
