//! What a sequence on streams is made of: calls and jumps of time.

use super::super::{
    parties::{Amount, Damage, Form, To, Who, Who::*, amount, any_of, around, by, damage, form, no, owner, to, yes},
    shared,
};
use proptest::prelude::*;

/// An amount per second.
#[derive(Clone, Copy, Debug)]
pub enum Speed {
    /// Thousandths of a unit, and a bit more that no unit is a multiple of.
    Slow(u16, bool),
    /// Units.
    Units(u16),
    None,
    Max,
    AboveMax,
    /// The present one, and so much more or less.
    Present(i8),
}

/// What flows.
#[derive(Clone, Copy, Debug)]
pub enum Flow {
    At(Speed),
    InAll(Amount),
}

/// What is wrong with a plan.
#[derive(Clone, Copy, Debug)]
pub enum Wrong {
    Flags,
    RateAndTotal,
    TotalWithoutEnd,
    StartTooFar,
    StartTooEarly,
    EndBeforeStart,
    TooLong,
    CliffWithoutFlag,
    CliffBeforeStart,
    CliffAfterEnd,
    CliffAboveTotal,
    NoTimeToFlow,
    CommittedAboveDeposit,
    CommittedAboveTotal,
    TotalTooMuch,
    CommittedTooMuch,
}

/// A stream to be: times in seconds from now, from the start, from the start.
#[derive(Clone, Debug)]
pub struct Plan {
    pub flow: Flow,
    /// 0: now, whenever that is.
    pub start: i16,
    pub cliff: Option<(u16, u16)>,
    pub end: Option<u16>,
    pub cancellable: bool,
    pub transferable: bool,
    pub amount: Amount,
    /// Percent of the amount.
    pub committed: u8,
    pub wrong: Option<Wrong>,
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub enum Hand {
    ThePayer,
    ThePayee,
    /// If there is one; else the payer.
    TheDelegate,
    Somebody(Who),
}

/// One of the streams, by the order of their numbers.
#[derive(Clone, Copy, Debug)]
pub enum Pick {
    /// Neither cancelled nor voided nor at its end.
    GoingOn(u8),
    /// With a record.
    There(u8),
    /// There or gone.
    Given(u8),
    Unknown(u8),
}

/// How much of what there is.
#[derive(Clone, Copy, Debug)]
pub enum Ask {
    All,
    None,
    Units(u16),
    Odd(u16),
    /// All that can be had, and so many grains more.
    AllAnd(i8),
}

#[derive(Clone, Copy, Debug)]
pub enum Jump {
    Secs(u32),
    /// To a time of one of the streams, and so many seconds beyond.
    Start(u8, i8),
    Cliff(u8, i8),
    End(u8, i8),
    Depletion(u8, i8),
    TermsEnd(u8, i8),
    /// To when one without an end of its own ceases to accrue, 136 years after its start.
    Never(u8, i8),
}

#[derive(Clone, Debug)]
pub enum Step {
    Create { payer: Who, payee: To, native: bool, plan: Plan },
    CreateMany { payer: Who, native: bool, plans: Vec<(To, Plan)>, uneven: bool },
    CreateFor { payer: Who, payee: To, native: bool, plan: Plan, form: Form },
    TopUp { by: Who, which: Pick, amount: Amount, wrong_parties: bool },
    Claim { by: Hand, which: Pick, ask: Ask, to: Option<To> },
    Batch { by: Who, rows: Vec<Pick>, fund_new: u8, damage: Option<Damage> },
    AdjustRate { by: Hand, which: Pick, to: Speed },
    Pause { by: Hand, which: Pick },
    Resume { by: Hand, which: Pick },
    Refund { by: Hand, which: Pick, ask: Ask },
    Cancel { by: Hand, which: Pick },
    Renounce { by: Hand, which: Pick },
    Void { by: Hand, which: Pick },
    HandOver { by: Hand, which: Pick, to: To },
    SetDelegate { by: Hand, which: Pick, delegate: To, rights: u8, cap: Speed },
    Wait(Jump),
    Shared(shared::Step),
}

fn speed() -> impl Strategy<Value = Speed> {
    prop_oneof![
        6 => (1u16..2_000, any::<bool>()).prop_map(|(n, odd)| Speed::Slow(n, odd)),
        6 => (1u16..40).prop_map(Speed::Units),
    ]
}

fn any_speed() -> impl Strategy<Value = Speed> {
    prop_oneof![12 => speed(), 5 => around().prop_map(Speed::Present), 1 => any_of(&[Speed::None, Speed::Max, Speed::AboveMax])]
}

fn wrong() -> impl Strategy<Value = Option<Wrong>> {
    use Wrong::*;
    let list = any_of(&[
        Flags,
        RateAndTotal,
        TotalWithoutEnd,
        StartTooFar,
        StartTooEarly,
        EndBeforeStart,
        TooLong,
        CliffWithoutFlag,
        CliffBeforeStart,
        CliffAfterEnd,
        CliffAboveTotal,
        NoTimeToFlow,
        CommittedAboveDeposit,
        CommittedAboveTotal,
        TotalTooMuch,
        CommittedTooMuch,
        TotalTooMuch,
        CommittedTooMuch,
    ]);
    prop_oneof![8 => Just(None), 1 => list.prop_map(Some)]
}

fn plan() -> impl Strategy<Value = Plan> {
    let flow = prop_oneof![
        12 => speed().prop_map(Flow::At),
        12 => amount().prop_map(Flow::InAll),
        1 => any_speed().prop_map(Flow::At),
    ];
    let start = prop_oneof![4 => Just(0i16), 3 => 1i16..200, 2 => -200i16..0];
    let secs = || prop_oneof![1 => 0u16..3, 6 => 1u16..300];
    let cliff = prop_oneof![3 => Just(None), 2 => (secs(), 0u16..1_000).prop_map(Some)];
    let end = prop_oneof![2 => Just(None), 3 => (300u16..5_000).prop_map(Some), 1 => secs().prop_map(Some)];
    let first = prop_oneof![6 => amount(), 1 => Just(Amount::Units(0))];
    let committed = prop_oneof![3 => Just(0u8), 1 => 1u8..101];
    (flow, start, cliff, end, prop::bool::weighted(0.8), any::<bool>(), first, committed, wrong()).prop_map(
        |(flow, start, cliff, end, cancellable, transferable, amount, committed, wrong)| Plan {
            flow,
            start,
            cliff,
            end,
            cancellable,
            transferable,
            amount,
            committed,
            wrong,
        },
    )
}

/// One that nothing is wrong with.
fn good_plan() -> impl Strategy<Value = Plan> {
    (plan(), speed(), 200u16..4_000, 300u16..5_000).prop_map(|(plan, speed, units, end)| {
        let flow = if units % 2 == 0 { Flow::At(speed) } else { Flow::InAll(Amount::Units(units)) };
        let committed = if matches!(flow, Flow::At(_)) { plan.committed } else { 0 };
        let cliff = plan.cliff.map(|(at, amount)| (at, amount.min(units)));
        Plan { flow, amount: Amount::Units(units), committed, cliff, end: plan.end.map(|_| end), wrong: None, ..plan }
    })
}

fn payer() -> impl Strategy<Value = Who> {
    any_of(&[PayerA, PayerA, PayerA, PayerB, PayerB, ContractPayee])
}

/// Any step.
pub fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let native = any::<bool>;
    let pick = || {
        let (going_on, there) = (any::<u8>().prop_map(Pick::GoingOn), any::<u8>().prop_map(Pick::There));
        prop_oneof![12 => going_on, 5 => there, 1 => any::<u8>().prop_map(Pick::Given), 1 => any::<u8>().prop_map(Pick::Unknown)]
    };
    // The payer's side, the payee's, or whoever.
    let theirs = || prop_oneof![10 => Just(Hand::ThePayer), 5 => Just(Hand::TheDelegate), 1 => owner().prop_map(Hand::Somebody)];
    let either =
        || prop_oneof![4 => Just(Hand::ThePayer), 5 => Just(Hand::ThePayee), 3 => Just(Hand::TheDelegate), 1 => owner().prop_map(Hand::Somebody)];
    let payees = || prop_oneof![12 => Just(Hand::ThePayee), 1 => Just(Hand::ThePayer), 1 => owner().prop_map(Hand::Somebody)];
    let ask = || {
        prop_oneof![
            5 => Just(Ask::All), 1 => Just(Ask::None), 4 => (1u16..800).prop_map(Ask::Units), 1 => (0u16..800).prop_map(Ask::Odd),
            3 => around().prop_map(Ask::AllAnd)
        ]
    };
    let jump = prop_oneof![
        12 => (0u32..60).prop_map(Jump::Secs),
        1 => (0u32..5_000).prop_map(Jump::Secs),
        5 => (any::<u8>(), around()).prop_map(|(n, beyond)| Jump::Start(n, beyond)),
        5 => (any::<u8>(), around()).prop_map(|(n, beyond)| Jump::Cliff(n, beyond)),
        2 => (any::<u8>(), around()).prop_map(|(n, beyond)| Jump::End(n, beyond)),
        6 => (any::<u8>(), around()).prop_map(|(n, beyond)| Jump::Depletion(n, beyond)),
        1 => (any::<u8>(), around()).prop_map(|(n, beyond)| Jump::TermsEnd(n, beyond)),
    ];
    let jump = prop_oneof![80 => jump, 1 => (any::<u8>(), around()).prop_map(|(n, beyond)| Jump::Never(n, beyond))];
    let delegate = prop_oneof![8 => owner().prop_map(To::Party), 1 => Just(To::Nobody), 1 => Just(To::TheContract)];
    let rights = prop_oneof![4 => Just(31u8), 8 => 0u8..32, 1 => 32u8..=255, 1 => Just(0u8)];
    prop_oneof![
        12 => (payer(), to(), native(), plan()).prop_map(|(payer, payee, native, plan)| Create { payer, payee, native, plan }),
        3 => (payer(), native(), prop::collection::vec((to(), plan()), 0..5), prop::bool::weighted(0.2))
            .prop_map(|(payer, native, plans, uneven)| CreateMany { payer, native, plans, uneven }),
        5 => (any_of(&[PayerA, PayerA, PayerB]), to(), prop::bool::weighted(0.2), plan(), form())
            .prop_map(|(payer, payee, native, plan, form)| CreateFor { payer, payee, native, plan, form }),
        8 => (any_of(&[PayerA, PayerB, Stranger, Relayer]), pick(), amount(), no())
            .prop_map(|(by, which, amount, wrong_parties)| TopUp { by, which, amount, wrong_parties }),
        10 => (prop_oneof![1 => payees(), 1 => by().prop_map(Hand::Somebody)], pick(), ask(), prop_oneof![3 => Just(None), 1 => to().prop_map(Some)])
            .prop_map(|(by, which, ask, to)| Claim { by, which, ask, to }),
        12 => (by(), prop::collection::vec(pick(), 1..9), any::<u8>(), damage())
            .prop_map(|(by, rows, fund_new, damage)| Batch { by, rows, fund_new: fund_new & 0x0f & (fund_new >> 4), damage }),
        8 => (theirs(), pick(), any_speed()).prop_map(|(by, which, to)| AdjustRate { by, which, to }),
        8 => (theirs(), pick()).prop_map(|(by, which)| Pause { by, which }),
        8 => (theirs(), pick()).prop_map(|(by, which)| Resume { by, which }),
        8 => (theirs(), pick(), ask()).prop_map(|(by, which, ask)| Refund { by, which, ask }),
        2 => (either(), pick()).prop_map(|(by, which)| Cancel { by, which }),
        2 => (theirs(), pick()).prop_map(|(by, which)| Renounce { by, which }),
        2 => (either(), pick()).prop_map(|(by, which)| Void { by, which }),
        6 => (payees(), pick(), prop_oneof![5 => to(), 2 => owner().prop_map(To::Party)]).prop_map(|(by, which, to)| HandOver { by, which, to }),
        6 => (prop_oneof![8 => Just(Hand::ThePayer), 1 => owner().prop_map(Hand::Somebody), 1 => Just(Hand::TheDelegate)], pick(), delegate, rights, any_speed())
            .prop_map(|(by, which, delegate, rights, cap)| SetDelegate { by, which, delegate, rights, cap }),
        shared::WEIGHT => shared::step().prop_map(Shared),
        40 => jump.prop_map(Wait),
    ]
}

/// What most sequences begin with, so that there is something to call: streams with delegates, and terms that earn their beneficiary something.
pub fn first() -> impl Strategy<Value = Step> {
    let payee = any_of(&[Payee, NewPayee, ContractPayee]).prop_map(To::Party);
    let create = (any_of(&[PayerA, PayerB]), payee, any::<bool>(), good_plan()).prop_map(|(payer, payee, native, plan)| Step::Create {
        payer,
        payee,
        native,
        plan,
    });
    let delegate = (any::<u8>(), any_of(&[Stranger, Relayer, ContractPayee]), yes(), speed()).prop_map(|(n, who, all, cap)| Step::SetDelegate {
        by: Hand::ThePayer,
        which: Pick::There(n),
        delegate: To::Party(who),
        rights: if all { 31 } else { n % 32 },
        cap,
    });
    prop_oneof![4 => create, 1 => delegate, 1 => shared::earning().prop_map(Step::Shared)]
}
