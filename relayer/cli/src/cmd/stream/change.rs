//! `rivulet stream pause`, `resume`, `cancel`

use super::{Answer, view::View};
use crate::{account::KeyArgs, kept::number, network::NetworkArgs, told::Told};
use clap::Args;
use rivulet_client::{Payee, Payer};
use rivulet_core::ids::StreamNumber;
use serde_json::json;

/// Which stream.
#[derive(Debug, Args)]
pub struct Change {
    /// Which stream.
    #[arg(value_name = "STREAM", value_parser = number)]
    stream: StreamNumber,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// What to do with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Stop its clock.
    Pause,
    /// Let it run again.
    Resume,
    /// End it.
    Cancel,
}

impl Change {
    pub async fn run(self, what: What) -> Answer {
        let network = self.network.connect().await?;
        let number = self.stream;
        let View { state, .. } = View::read(&network, number, network.head().await?).await?;
        let account = self.key.account(&network.deployment)?;
        let is_payee = account.signer.address() == state.payee;
        let payer = Payer::new(network.chain.clone(), account.signer.clone(), account.vouchers);
        match what {
            What::Pause => payer.pause_stream(number).await?,
            What::Resume => payer.resume_stream(number).await?,
            // The same call, whoever of the two makes it.
            What::Cancel if is_payee => Payee::new(network.chain.clone(), account.signer).cancel_stream(number).await?,
            What::Cancel => payer.cancel_stream(number).await?,
        };
        match network.chain.stream(number, network.head().await?.block).await? {
            Some(_) => Ok(View::read(&network, number, network.head().await?).await?.told()),
            None => Ok(Told::new(json!({ "stream": number.to_string(), "status": "closed" }), format!("stream {number}: closed"))),
        }
    }
}
