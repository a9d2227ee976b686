//! The compiled contracts.

use std::path::PathBuf;

/// A contract's compiled code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bundle {
    /// PolkaVM code, or EVM init code.
    pub code: Vec<u8>,
}

impl Bundle {
    /// `channels.polkavm`, Solidity ABI.
    ///
    /// # Panics
    ///
    /// When it has not been built, with the command that builds it.
    pub fn channels() -> Self {
        Self::read("channels")
    }

    /// `streams.polkavm`, Solidity ABI.
    ///
    /// # Panics
    ///
    /// When it has not been built, with the command that builds it.
    pub fn streams() -> Self {
        Self::read("streams")
    }

    /// The same contract built with `abi = "all"`, from the folder that `RIVULET_BUNDLES_ALL` names.
    ///
    /// # Panics
    ///
    /// When the variable is not set or the file is not there.
    pub fn with_both_abis(name: &str) -> Self {
        let folder = std::env::var_os("RIVULET_BUNDLES_ALL")
            .expect("RIVULET_BUNDLES_ALL names the folder of the bundles with both ABIs: scripts/build contracts-all FOLDER makes them");
        let path = PathBuf::from(folder).join(name).with_extension("polkavm");
        Self::load(path, "scripts/build contracts-all FOLDER")
    }

    /// EVM code that, when deployed, leaves `runtime_code`.
    pub fn evm(runtime_code: &[u8]) -> Self {
        Self { code: crate::evm::init_code(runtime_code) }
    }

    fn read(name: &str) -> Self {
        let folder = std::env::var_os("RIVULET_BUNDLES")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deployments/bundles"), PathBuf::from);
        Self::load(folder.join(name).with_extension("polkavm"), "scripts/build contracts")
    }

    fn load(path: PathBuf, command: &str) -> Self {
        match std::fs::read(&path) {
            Ok(code) => Self { code },
            Err(e) => panic!("no contract at {}: {e}\nbuild it by: {command}", path.display()),
        }
    }
}
