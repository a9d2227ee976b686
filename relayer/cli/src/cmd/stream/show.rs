//! `rivulet stream show`

use super::{Answer, view::View};
use crate::{kept::number, network::NetworkArgs};
use clap::Args;
use rivulet_core::ids::StreamNumber;

/// Shows a stream: every figure, when it starts and ends, who may do what. No key is needed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet stream show 2/0
      what is paid, claimable, not covered and refundable, as of the newest finalized block
  rivulet stream show 2/0 --json
      for programs")]
pub struct Show {
    /// Which stream.
    #[arg(value_name = "STREAM", value_parser = number)]
    stream: StreamNumber,
    #[command(flatten)]
    pub network: NetworkArgs,
}

impl Show {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        Ok(View::whole(&network, self.stream).await?.told())
    }
}
