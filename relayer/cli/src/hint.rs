//! What to do about what a contract refused: in the words of this program's options.

use rivulet_chain::{Error as ChainError, Refusal, revert::Revert};
use rivulet_client::Error as ClientError;
use rivulet_core::stream::ScheduleError as S;
use rivulet_rules::statement::time_text;

/// What the chain said, among the causes.
fn of_chain(error: &anyhow::Error) -> impl Iterator<Item = &ChainError> {
    error.chain().filter_map(|cause| match (cause.downcast_ref::<ClientError>(), cause.downcast_ref::<ChainError>()) {
        (Some(ClientError::Chain(e)), _) | (_, Some(e)) => Some(e),
        _ => None,
    })
}

/// What a contract said, if that is among the causes.
fn revert(error: &anyhow::Error) -> Option<&Revert> {
    of_chain(error).find_map(|e| if let ChainError::Reverted(revert) = e { Some(revert) } else { None })
}

/// True when the chain found no money to pay or to lock: its own words, for there is no contract's.
fn is_poor(error: &anyhow::Error) -> bool {
    of_chain(error).any(|e| match e {
        ChainError::Refused(Refusal::Payment) => true,
        ChainError::Failed(reason) => {
            ["TransferFailed", "InsufficientBalance", "StorageDepositNotEnoughFunds", "FundsUnavailable"].iter().any(|name| reason.ends_with(name))
        }
        _ => false,
    })
}

/// True when the chain's history is another one than was seen before.
fn is_another_history(error: &anyhow::Error) -> bool {
    of_chain(error).any(|e| matches!(e, ChainError::FinalityBroken { .. } | ChainError::Disputed(_)))
}

/// One sentence for somebody at a shell; `None` where the error says all there is to say.
pub fn of(error: &anyhow::Error) -> Option<String> {
    if error.chain().any(|cause| matches!(cause.downcast_ref(), Some(ClientError::UnmappedPayee(_)))) {
        return Some("if it is a new Ethereum key's address, and surely the right one, say --new-payee".into());
    }
    if is_poor(error) {
        return Some(
            "the account has too little of the native token, for the amount or for fees and deposits: 'rivulet key show' says which account it is. On a \
             development network, 'rivulet dev fund' gives it some"
                .into(),
        );
    }
    if is_another_history(error) {
        return Some(
            "the chain has another history than before. A development chain that was begun anew wants a relayer with a new database (another file in \
             'database'); on any other network, name a node that you trust"
                .into(),
        );
    }
    let revert = revert(error)?;
    let value = |name: &str| revert.values.iter().find(|(field, _)| *field == name).map_or("", |(_, value)| value.as_str());
    let time = |name: &str| value(name).parse().map_or_else(|_| value(name).to_owned(), time_text);
    Some(match revert.name? {
        "NotAllowed" => format!(
            "this key is {}, and only {} may do that, or a delegate with the right to it: choose the key by --key",
            value("caller"),
            value("expected")
        ),
        "NotCancellable" => {
            "its payer gave up cancelling: before its end it is not cancelled, voided, paused, refunded or given a lower rate by the payer".into()
        }
        "NotTransferable" => "it was not created with --transferable: its payee stays who it is".into(),
        "WrongPause" if value("paused") == "true" => "it is paused: 'rivulet stream resume' lets it run again".into(),
        "WrongPause" => "it is not paused".into(),
        "Ended" => "it has ended: what is owed and covered can be claimed, by 'rivulet stream claim'".into(),
        "NotDue" => format!("it can be done from {} on", time("due_at")),
        "Lapsed" => format!("the request was void from {} on: ask again", time("lapsed_at")),
        "AlreadyRequested" => format!("it was asked for before: it can be finished from {} on", time("due_at")),
        "Overdraw" => "that is more than there is now: without an amount, everything is taken".into(),
        "NothingToPay" => "there is nothing to take right now".into(),
        "BadRate" if value("given_scaled") == "0" => "a rate is more than nothing: to stop a stream, pause or cancel it".into(),
        "BadRate" => "the rate is above the largest one that this key may set".into(),
        "BadSchedule" => value("reason").parse().map_or_else(|_| String::new(), |reason| schedule(reason).to_owned()),
        "BadPeriod" => format!("--challenge-period: expected {}s to {}s, given {}s", value("min_secs"), value("max_secs"), value("given_secs")),
        "BadParty" => "expected another account: not the payer's or payee's own, nor a token, this contract or a part of the chain".into(),
        "PullFailed" => "the account does not have so much of the token".into(),
        "NotListed" => "these contracts do not take that token".into(),
        "TermsHeld" => format!("until {} terms can only be made better for who earns the fee", time("until")),
        "FeeAboveCeiling" => format!("--fee-bps: expected at most {}", value("ceiling_bps")),
        "ClosedNumber" | "UnknownNumber" => "it has ended, was handed over, or never was".into(),
        _ => return None,
    })
    .filter(|hint| !hint.is_empty())
}

/// Why times or amounts of a stream contradict each other.
pub fn schedule(reason: u8) -> &'static str {
    const WORDS: [(S, &str); 13] = [
        (S::RateAndTotal, "expected --rate or --total, not both"),
        (S::TotalWithoutEnd, "--total: expected --for or --until: when all of it is paid"),
        (S::StartTooFar, "--start: expected at most 68 years before or after now"),
        (S::EndBeforeStart, "the end: expected after the start"),
        (S::TooLong, "expected the end and the cliff at most 136 years after the start"),
        (S::CliffWithoutFlag, "--cliff-amount: expected --cliff: when it falls due"),
        (S::CliffBeforeStart, "--cliff: expected at or after the start"),
        (S::CliffAfterEnd, "--cliff: expected at or before the end"),
        (S::CliffAboveTotal, "--cliff-amount: expected at most the --total"),
        (S::NoTimeToFlow, "--cliff: expected before the end: the rest of the money needs time to flow"),
        (S::Flags, "a flag of the stream is not known to the contract"),
        (S::CommittedAboveDeposit, "--committed: expected at most the --deposit"),
        (S::CommittedAboveTotal, "--committed: expected at most the --total"),
    ];
    WORDS.iter().find(|(known, _)| *known as u8 == reason).map_or("the times or amounts contradict each other", |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(name: &'static str, values: &[(&'static str, &str)]) -> Option<String> {
        let values = values.iter().map(|(field, value)| (*field, (*value).to_owned())).collect();
        of(&ClientError::Chain(ChainError::Reverted(Revert { name: Some(name), values, data: Vec::new() })).into())
    }

    #[test]
    fn a_refusal_is_said_in_words_that_a_shell_understands() {
        let due = hint("NotDue", &[("now", "5"), ("due_at", "1800000000")]);
        assert_eq!(due.as_deref(), Some("it can be done from 2027-01-15T08:00:00Z on"));
        assert_eq!(hint("BadSchedule", &[("reason", "8")]).as_deref(), Some("--cliff-amount: expected at most the --total"));
        assert!(hint("NotAllowed", &[("caller", "0xaa"), ("expected", "0xbb")]).unwrap().contains("only 0xbb may do that"));
        let poor = ClientError::Chain(ChainError::Failed("Balances::InsufficientBalance".into()));
        assert!(of(&poor.into()).unwrap().contains("too little of the native token"));
        assert_eq!(hint("BadSignature", &[]), None);
        assert_eq!(of(&anyhow::anyhow!("else")), None);
    }
}
