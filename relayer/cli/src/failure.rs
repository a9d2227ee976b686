//! Why a command did not do what it was asked, and the exit code that says so.

use crate::hint;
use rivulet_chain::{Error as ChainError, deployment::DeploymentError};
use rivulet_client::Error as ClientError;
use rivulet_http::tls::TlsError;
use rivulet_paywall::{config::ConfigError as PaywallConfigError, paywall::StartError, rules::RuleError};
use rivulet_server::config::ConfigError as RelayConfigError;
use serde_json::{Value, json};
use std::process::ExitCode;

/// What this program itself refuses. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// An argument that cannot be used.
    #[error("{0}")]
    Usage(String),
    /// Money could go where it should not.
    #[error("{0}")]
    Unsafe(String),
    /// Nobody said yes.
    #[error("{0}")]
    NotConfirmed(String),
    /// No key, or no passphrase for it.
    #[error("{0}")]
    Key(String),
    /// What was named is not there.
    #[error("{0}")]
    NotFound(String),
    /// A site did not serve it.
    #[error("{0}")]
    Site(String),
}

/// A command line that clap did not take: its sentence, without the usage that follows.
pub fn of_clap(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let sentence = text.split("\n\n").next().unwrap_or_default().trim().trim_start_matches("error: ");
    Failure::Usage(sentence.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Exit codes: final, new ones are added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    Failed = 1,
    Usage = 2,
    Unsafe = 3,
    NotConfirmed = 4,
    Key = 5,
    Chain = 6,
    Relayer = 7,
    Unreachable = 8,
    NotFound = 9,
    Site = 10,
}

impl Exit {
    /// As `--json` names it.
    fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Unsafe => "unsafe",
            Self::NotConfirmed => "not_confirmed",
            Self::Key => "key",
            Self::Chain => "chain_refused",
            Self::Relayer => "relayer_refused",
            Self::Unreachable => "unreachable",
            Self::NotFound => "not_found",
            Self::Site => "site_refused",
        }
    }
}

/// For the end of `--help`.
pub const EXIT_CODES: &str = "Exit codes:
  0  done
  1  something else went wrong
  2  the command line or a configuration file: an argument, an amount without a unit or with too many decimals
  3  refused to keep money safe: another network, contract or relayer, other decimals, a payee that could not get it, a limit
  4  not confirmed: nobody said yes, and no --yes
  5  no key, or the passphrase is another
  6  the contract or the chain refused; nothing was paid but, at most, a fee
  7  the relayer refused
  8  nobody answered: a node or a relayer is out of reach; the same again may work
  9  there is no such channel or stream
  10 the site refused, or did not serve what was to be paid for";

fn of_chain(e: &ChainError) -> Exit {
    match e {
        ChainError::WrongGenesis { .. } | ChainError::WrongChain { .. } | ChainError::WrongCode { .. } => Exit::Unsafe,
        ChainError::Unavailable(_) => Exit::Unreachable,
        ChainError::BadKey(_) => Exit::Key,
        ChainError::Reverted(revert) if revert.is("ClosedNumber") || revert.is("UnknownNumber") => Exit::NotFound,
        ChainError::Reverted(_) | ChainError::Failed(_) | ChainError::Refused(_) | ChainError::Expired { .. } => Exit::Chain,
        ChainError::Deployment(_) => Exit::Usage,
        _ => Exit::Failed,
    }
}

fn of_client(e: &ClientError) -> Exit {
    match e {
        ClientError::Chain(e) => of_chain(e),
        ClientError::Unreachable(_) | ClientError::Site(_) => Exit::Unreachable,
        ClientError::Rejected(problem) if problem.is_final() => Exit::Relayer,
        ClientError::Rejected(_) => Exit::Unreachable,
        ClientError::NotServed(refusal) if refusal.status < 500 => Exit::Site,
        ClientError::NotServed(_) => Exit::Unreachable,
        ClientError::NotMovable { .. } => Exit::Usage,
        ClientError::BadKey(_) => Exit::Key,
        ClientError::NotKept(_) | ClientError::Ended(_) | ClientError::NoChannel { .. } => Exit::NotFound,
        ClientError::OtherContracts { .. }
        | ClientError::UnmappedPayee(_)
        | ClientError::OverLimit { .. }
        | ClientError::BadTotal { .. }
        | ClientError::BadOffer { .. }
        | ClientError::TooDear { .. }
        | ClientError::NotOurs { .. }
        | ClientError::NotAcknowledged { .. }
        | ClientError::Unsettled { .. }
        | ClientError::OtherPrice { .. }
        | ClientError::InUse { .. }
        | ClientError::BadRecord { .. } => Exit::Unsafe,
        _ => Exit::Failed,
    }
}

/// What a relayer or paywall is told to do and cannot be done as told.
fn of_daemon(cause: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if let Some(start) = cause.downcast_ref::<StartError>() {
        return match start {
            StartError::Rules(_) | StartError::Tls(_) => Some(Exit::Usage),
            StartError::OtherRelayer { .. } => Some(Exit::Unsafe),
            StartError::Relayer(e) => Some(of_client(e)),
            StartError::Store(_) => None,
        };
    }
    let is_usage = cause.is::<PaywallConfigError>() || cause.is::<RelayConfigError>() || cause.is::<RuleError>() || cause.is::<TlsError>();
    (is_usage || cause.is::<DeploymentError>()).then_some(Exit::Usage)
}

/// The code for an error: that of the innermost cause that has one.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    let of = |cause: &(dyn std::error::Error + 'static)| {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return Some(match failure {
                Failure::Usage(_) => Exit::Usage,
                Failure::Unsafe(_) => Exit::Unsafe,
                Failure::NotConfirmed(_) => Exit::NotConfirmed,
                Failure::Key(_) => Exit::Key,
                Failure::NotFound(_) => Exit::NotFound,
                Failure::Site(_) => Exit::Site,
            });
        }
        let of_ours = cause.downcast_ref::<ClientError>().map(of_client).or_else(|| cause.downcast_ref::<ChainError>().map(of_chain));
        of_ours.or_else(|| of_daemon(cause))
    };
    error.chain().filter_map(of).last().unwrap_or(Exit::Failed)
}

/// The causes, outermost first, each said once.
fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some errors say their cause themselves.
        if !said.last().is_some_and(|last| last.contains(&cause)) {
            said.push(cause);
        }
    }
    said
}

/// Says what went wrong on standard error; the exit code says it too.
pub fn report(error: &anyhow::Error, as_json: bool) -> ExitCode {
    let (exit, causes, hint) = (exit_of(error), causes(error), hint::of(error));
    if as_json {
        let (message, because) = (causes.first().cloned().unwrap_or_default(), causes.get(1..).unwrap_or_default());
        let text: Value = json!({ "error": exit.name(), "exit_code": exit as u8, "message": message, "because": because, "hint": hint });
        eprintln!("{text}");
    } else {
        // Each cause on its own line: the first says what was being done, the last why it failed.
        for (i, cause) in causes.iter().enumerate() {
            eprintln!("{}{cause}", if i == 0 { "error: " } else { "  because: " });
        }
        if let Some(hint) = hint {
            eprintln!("  hint: {hint}");
        }
    }
    ExitCode::from(exit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn the_innermost_cause_that_has_a_code_gives_it() {
        let chain = ChainError::WrongChain { what: "chain id", expected: "1".into(), found: "2".into() };
        let error = anyhow::Error::new(ClientError::Chain(chain)).context("opening a channel");
        assert_eq!(exit_of(&error), Exit::Unsafe);
        let config = anyhow::Error::new(PaywallConfigError::Parse(String::new())).context("cannot use the configuration");
        assert_eq!(exit_of(&config), Exit::Usage);
        let other = StartError::OtherRelayer { url: String::new(), field: "chain id", found: "1".into(), expected: "2".into() };
        assert_eq!(exit_of(&other.into()), Exit::Unsafe);
        let none: anyhow::Result<()> = Err(anyhow::anyhow!("else"));
        assert_eq!(exit_of(&none.context("doing").unwrap_err()), Exit::Failed);
        assert_eq!(exit_of(&Failure::NotConfirmed(String::new()).into()), Exit::NotConfirmed);
    }

    #[test]
    fn every_code_is_in_the_help() {
        let (of_us, of_others) = (
            [Exit::Failed, Exit::Usage, Exit::Unsafe, Exit::NotConfirmed, Exit::Key],
            [Exit::Chain, Exit::Relayer, Exit::Unreachable, Exit::NotFound, Exit::Site],
        );
        for exit in of_us.into_iter().chain(of_others) {
            assert!(EXIT_CODES.contains(&format!("\n  {:<3}", exit as u8)), "{exit:?}");
        }
    }
}
