//! `rivulet stream pause`, `resume`

use super::{Answer, view::View};
use crate::{account::KeyArgs, kept::number, network::NetworkArgs};
use clap::Args;
use rivulet_client::Payer;
use rivulet_core::ids::StreamNumber;

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
}

impl Change {
    pub async fn run(self, what: What) -> Answer {
        let network = self.network.connect().await?;
        let number = self.stream;
        View::read(&network, number, network.head().await?).await?;
        let account = self.key.account(&network.deployment)?;
        let payer = Payer::new(network.chain.clone(), account.signer, account.vouchers);
        match what {
            What::Pause => payer.pause_stream(number).await?,
            What::Resume => payer.resume_stream(number).await?,
        };
        View::after(&network, number).await
    }
}
