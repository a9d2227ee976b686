//! The relayer that carries the vouchers: the one that the 402 names.

use crate::{denied::Denied, payload::Payment, paywall::StartError, store::Accepted};
use rivulet_client::{
    Error, Relayer, SignedVoucher,
    relay::{BestJson, Problem},
};
use rivulet_core::{
    SoftKeccak,
    eip712::{Domain, Message, Voucher},
    ids::Deployment,
};
use rivulet_http::trust;
use rivulet_rules::{accept::signature::recover, text};
use serde::Deserialize;
use std::{path::Path, time::Duration};

const TIMEOUT: Duration = Duration::from_secs(10);

/// A relayer.
#[derive(Clone, Debug)]
pub struct Link {
    relayer: Relayer,
    base: String,
    http: reqwest::Client,
    separator: [u8; 32],
}

/// What is read of `/v1/info`.
#[derive(Debug, Deserialize)]
pub struct Info {
    /// Its chain.
    pub chain_id: u64,
    /// Its contracts.
    pub contracts: InfoContracts,
    /// Whom it works for; none: everybody.
    pub payees: Option<Vec<String>>,
}

/// Of [`Info`].
#[derive(Debug, Deserialize)]
pub struct InfoContracts {
    /// The channels contract.
    pub channels: String,
}

/// What a relayer knows of a channel.
#[derive(Debug, Deserialize)]
struct ChannelJson {
    channel_id: String,
    best: Option<BestJson>,
}

async fn problem_of(response: reqwest::Response) -> Result<Problem, Denied> {
    let status = response.status().as_u16();
    let problem: Problem = response.json().await.map_err(unreachable)?;
    Ok(Problem { status, ..problem })
}

fn unreachable(e: impl std::fmt::Display) -> Denied {
    Denied::new("relayer_unreachable", format!("the relayer does not answer: {e}"))
}

impl Link {
    /// To a relayer at this URL, about the channels of this deployment. Certificates in the file are believed besides the system's.
    ///
    /// # Errors
    ///
    /// When the system gives no HTTP client, or the file cannot be used.
    pub fn new(url: &str, ca_file: Option<&Path>, at: &Deployment) -> Result<Self, StartError> {
        let http = reqwest::Client::builder().timeout(TIMEOUT);
        let http = match ca_file {
            Some(_) => http.use_preconfigured_tls(trust::client(ca_file)?),
            None => http,
        };
        let http = http.build().map_err(Error::Unreachable)?;
        let base = url.trim_end_matches('/').to_owned();
        Ok(Self { relayer: Relayer::with_client(&base, http.clone()), base, http, separator: Domain::Channels.separator(at, &SoftKeccak) })
    }

    /// What it works on.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub async fn info(&self) -> Result<Info, Error> {
        let response = self.http.get(format!("{}/v1/info", self.base)).send().await.map_err(Error::Unreachable)?;
        response.json().await.map_err(|e| Error::Answer(e.to_string()))
    }

    /// A total with a signature that counts for this channel.
    fn signed(&self, payment: &Payment, best: &BestJson) -> Option<Accepted> {
        let (total, signature) = best.read()?;
        let digest = Voucher { channel_id: payment.channel_id, cumulative_amount: total }.digest(&self.separator, &SoftKeccak);
        payment.may_sign(recover(digest, &signature)).then_some(Accepted { total, signature })
    }

    /// What was accepted of this channel so far.
    ///
    /// # Errors
    ///
    /// With the relayer's code when it does not show the channel: it shows only those that are final. `wrong_channel_id`: the number is that of other terms.
    pub async fn accepted(&self, payment: &Payment) -> Result<Option<Accepted>, Denied> {
        let number = payment.terms.number;
        let response = self.http.get(format!("{}/v1/channels/{}/{}", self.base, number.book, number.serial)).send().await.map_err(unreachable)?;
        if response.status().is_client_error() {
            return Err(Denied::by_relayer(&problem_of(response).await?));
        }
        let channel: ChannelJson = response.error_for_status().map_err(unreachable)?.json().await.map_err(unreachable)?;
        let given = text::hex(&payment.channel_id.0);
        if channel.channel_id != given {
            let detail = format!("channel {number} has id {}, got {given}: other terms, or another opening of this number", channel.channel_id);
            return Err(Denied { code: "wrong_channel_id".into(), ..Denied::new("payment_required", detail) });
        }
        Ok(channel.best.and_then(|best| self.signed(payment, &best)))
    }

    /// Hands the voucher over. When this returns, at least its total is on the relayer's disk.
    ///
    /// # Errors
    ///
    /// With the relayer's code, or `relayer_unreachable`: then it is not known whether the relayer has it, and sending it again is harmless.
    pub async fn accept(&self, payment: &Payment) -> Result<Accepted, Denied> {
        let Payment { terms, channel_id, total, signature, .. } = payment;
        let voucher = SignedVoucher { number: terms.number, channel_id: *channel_id, cumulative_amount: *total, signature: *signature };
        match self.relayer.pay(&voucher).await {
            Ok(_) => Ok(Accepted { total: *total, signature: *signature }),
            // It has a higher one, with the payer's signature: that covers more.
            Err(Error::Rejected(problem)) if problem.code == "stale" => {
                let best = problem.best.as_ref().and_then(|best| self.signed(payment, best)).filter(|best| best.total >= *total);
                best.ok_or_else(|| Denied::by_relayer(&problem))
            }
            Err(Error::Rejected(problem)) => Err(Denied::by_relayer(&problem)),
            Err(e) => Err(unreachable(e)),
        }
    }
}
