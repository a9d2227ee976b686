//! The relayer's HTTP interface, as far as payers need it.

mod answers;
mod receipt;

pub use answers::{Info, InfoContracts, InfoRelayer, TokenEarnings};
pub use receipt::Receipt;

use crate::{Error, SignedVoucher};
use receipt::{AcknowledgementJson, Acknowledger};
use rivulet_core::{
    ids::{Address, ChannelNumber, Deployment},
    signature::CompactSignature,
};
use rivulet_rules::text;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// Why a relayer did not take something. `code` is stable.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, for programs.
    pub code: String,
    /// What went wrong, for people.
    pub detail: String,
    /// The field at fault.
    pub field: Option<String>,
    /// What would have been taken.
    pub expected: Option<String>,
    /// What came.
    pub given: Option<String>,
    /// The highest voucher that the relayer has: where to go on from.
    pub best: Option<BestJson>,
    /// With `rate_limited`: when to come back.
    pub retry_after_secs: Option<u64>,
}

/// The highest voucher of a channel that the relayer has.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct BestJson {
    /// Its total.
    pub cumulative_amount: String,
    /// Its signature: the client's own, which proves that the relayer did not make the total up.
    pub signature: String,
}

impl BestJson {
    /// Its total and signature, if they are well-formed.
    pub fn read(&self) -> Option<(u128, CompactSignature)> {
        Some((text::amount("cumulative_amount", &self.cumulative_amount).ok()?, text::signature("signature", &self.signature).ok()?))
    }
}

impl Problem {
    /// True when the same request may be taken in a moment.
    pub fn is_retryable(&self) -> bool {
        matches!(self.status, 429 | 503 | 504)
    }

    /// True when the same request will never be taken. Otherwise it is not known whether it was, or will be.
    pub fn is_final(&self) -> bool {
        matches!(self.status, 400..=499) && !matches!(self.status, 408 | 429)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)
    }
}

/// What became of one voucher of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BatchOutcome {
    /// It is stored durably; with what the relayer signed for it, if it was asked to.
    Accepted(Option<Receipt>),
    /// It was not taken.
    Rejected(Problem),
}

/// A relayer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Relayer {
    base: String,
    http: reqwest::Client,
    acknowledger: Option<Acknowledger>,
}

/// A relayer answers after one write to its disk; this is for the network and for one that restarts.
const TIMEOUT: Duration = Duration::from_secs(15);

impl Relayer {
    /// At a URL such as `http://127.0.0.1:8790`.
    ///
    /// # Errors
    ///
    /// When the system gives no HTTP client.
    pub fn new(url: impl Into<String>) -> Result<Self, Error> {
        Ok(Self::with_client(url, reqwest::Client::builder().timeout(TIMEOUT).build().map_err(Error::Unreachable)?))
    }

    /// The same by an HTTP client of one's own, with its time limit and whom it believes.
    pub fn with_client(url: impl Into<String>, http: reqwest::Client) -> Self {
        Self { base: url.into().trim_end_matches('/').to_owned(), http, acknowledger: None }
    }

    /// From now on every accepted voucher must come with the relayer's signature by this key (`relayer.acknowledgement_key` of its `/v1/info`, learnt once and
    /// kept) about the channels of this deployment. One without is an error: the voucher may be stored, but that could not be proven.
    pub fn acknowledged_by(self, key: Address, channels: Deployment) -> Self {
        Self { acknowledger: Some(Acknowledger { key, channels }), ..self }
    }

    async fn post(&self, path: &str, body: &(impl Serialize + ?Sized)) -> Result<reqwest::Response, Error> {
        self.http.post(format!("{}{path}", self.base)).json(body).send().await.map_err(Error::Unreachable)
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T, Error> {
        let response = self.http.get(format!("{}{path}", self.base)).send().await.map_err(Error::Unreachable)?;
        match response.status().is_success() {
            true => response.json().await.map_err(|e| Error::Answer(e.to_string())),
            false => Err(Error::Rejected(Box::new(problem(response).await?))),
        }
    }

    /// What it says of itself.
    ///
    /// # Errors
    ///
    /// When it does not answer. So all questions.
    pub async fn info(&self) -> Result<Info, Error> {
        self.get("/v1/info").await
    }

    /// Makes sure that it works for these contracts on this chain: a voucher for others would be worth nothing there.
    ///
    /// # Errors
    ///
    /// [`Error::OtherContracts`] when it does not; as [`Relayer::info`].
    pub async fn check(&self, genesis_hash: [u8; 32], channels: &Deployment) -> Result<Info, Error> {
        let info = self.info().await?;
        let same = |what, expected: String, found: &str| match expected == found.to_lowercase() {
            true => Ok(()),
            false => Err(Error::OtherContracts { what, expected, found: text::shown(found) }),
        };
        same("genesis hash", text::hex(&genesis_hash), &info.genesis_hash)?;
        same("chain id", channels.chain_id.to_string(), &info.chain_id.to_string())?;
        same("channels contract", channels.contract.to_string(), &info.contracts.channels)?;
        Ok(info)
    }

    /// The best voucher that it has of a channel, as it says: whoever relies on its total checks the signature, as [`crate::Purse::resume`] does.
    ///
    /// # Errors
    ///
    /// As [`Relayer::info`].
    pub async fn best(&self, number: ChannelNumber) -> Result<Option<BestJson>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            best: Option<BestJson>,
        }
        let answer: Answer = self.get(&format!("/v1/channels/{}/{}", number.book, number.serial)).await?;
        Ok(answer.best)
    }

    /// What a payee has earned through it, by token.
    ///
    /// # Errors
    ///
    /// As [`Relayer::info`].
    pub async fn earnings(&self, payee: &Address) -> Result<Vec<TokenEarnings>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            tokens: Vec<TokenEarnings>,
        }
        let answer: Answer = self.get(&format!("/v1/payees/{payee}/earnings")).await?;
        Ok(answer.tokens)
    }

    /// The best voucher of each of a payee's channels that it has: to be kept, and claimed without it one day.
    ///
    /// # Errors
    ///
    /// As [`Relayer::info`].
    pub async fn vouchers_of(&self, payee: &Address) -> Result<Vec<SignedVoucher>, Error> {
        #[derive(Deserialize)]
        struct Page {
            channels: Vec<OneChannel>,
            next: Option<String>,
        }
        #[derive(Deserialize)]
        struct OneChannel {
            book: u32,
            serial: u32,
            channel_id: String,
            best: Option<BestJson>,
        }
        let (mut vouchers, mut after) = (Vec::new(), String::new());
        loop {
            let page: Page = self.get(&format!("/v1/payees/{payee}/channels?limit=1000{after}")).await?;
            for channel in page.channels {
                let Some(best) = channel.best else { continue };
                let (cumulative_amount, signature) = best.read().ok_or_else(|| Error::Answer("a best voucher that is none".into()))?;
                let channel_id = text::channel_id("channel_id", &channel.channel_id).map_err(|e| Error::Answer(e.to_string()))?;
                let number = ChannelNumber { book: channel.book, serial: channel.serial };
                vouchers.push(SignedVoucher { number, channel_id, cumulative_amount, signature });
            }
            match page.next {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(vouchers),
            }
        }
    }

    /// Hands over a voucher. When this returns, the relayer has it on its disk. The same voucher may be sent again. The receipt is there when
    /// [`Relayer::acknowledged_by`] asked for it.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] with what is needed to go on; [`Error::Unreachable`] when it is not known whether the relayer has it;
    /// [`Error::NotAcknowledged`] when it says so but does not sign for it.
    pub async fn pay(&self, voucher: &SignedVoucher) -> Result<Option<Receipt>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            acknowledgement: Option<AcknowledgementJson>,
        }
        let response = self.post("/v1/vouchers", voucher).await?;
        if !response.status().is_success() {
            return Err(Error::Rejected(Box::new(problem(response).await?)));
        }
        let Some(acknowledger) = &self.acknowledger else { return Ok(None) };
        let answer: Answer = response.json().await.map_err(|e| Error::Answer(e.to_string()))?;
        acknowledger.check(voucher, answer.acknowledgement).map(Some)
    }

    /// Hands over many vouchers. The outcomes are in their order; one that is refused stops no other.
    ///
    /// # Errors
    ///
    /// When the relayer refused the batch as a whole, or it is not known whether it has it, or it did not sign for one that it accepted and was asked to.
    pub async fn pay_batch(&self, vouchers: &[SignedVoucher]) -> Result<Vec<BatchOutcome>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            results: Vec<OneResult>,
        }
        #[derive(Deserialize)]
        struct OneResult {
            problem: Option<Problem>,
            acknowledgement: Option<AcknowledgementJson>,
        }
        let path = if self.acknowledger.is_some() { "/v1/vouchers/batch?acknowledge=true" } else { "/v1/vouchers/batch" };
        let response = self.post(path, &vouchers).await?;
        if !response.status().is_success() {
            return Err(Error::Rejected(Box::new(problem(response).await?)));
        }
        let answer: Answer = response.json().await.map_err(|e| Error::Answer(e.to_string()))?;
        if answer.results.len() != vouchers.len() {
            return Err(Error::Answer(format!("expected {} results, given {}", vouchers.len(), answer.results.len())));
        }
        let outcome = |(voucher, result): (&SignedVoucher, OneResult)| match (result.problem, &self.acknowledger) {
            (Some(problem), _) => Ok(BatchOutcome::Rejected(problem)),
            (None, None) => Ok(BatchOutcome::Accepted(None)),
            (None, Some(acknowledger)) => Ok(BatchOutcome::Accepted(Some(acknowledger.check(voucher, result.acknowledgement)?))),
        };
        vouchers.iter().zip(answer.results).map(outcome).collect()
    }
}

async fn problem(response: reqwest::Response) -> Result<Problem, Error> {
    let status = response.status();
    let body = response.text().await.map_err(Error::Unreachable)?;
    // A proxy in between answers in its own way.
    serde_json::from_str(&body).map_err(|_| Error::Answer(format!("{status}: {}", text::shown(&body))))
}
