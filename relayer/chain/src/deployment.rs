//! `deployments/<network>.json`: where the contracts are and what they must be.

use rivulet_core::ids::{self, Address};
use rivulet_rules::chain::ContractKind;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A file that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// It cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not JSON of the expected shape; the text names the field and the place.
    #[error("{path}: {source}")]
    Shape {
        /// Which file.
        path: PathBuf,
        /// What and where.
        source: serde_json::Error,
    },
    /// A field has a value that cannot be.
    #[error("{path}: field `{field}`: {detail}")]
    Field {
        /// Which file.
        path: PathBuf,
        /// Which field, as a path.
        field: String,
        /// What is wrong.
        detail: String,
    },
}

/// 20 bytes, in JSON `0x` and 40 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HexAddress(pub Address);

/// 32 bytes, in JSON `0x` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hex32(pub [u8; 32]);

fn unhex<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let digits = text.strip_prefix("0x").ok_or_else(|| format!("expected 0x and {} hex digits, given {text:?}", 2 * N))?;
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).map_err(|e| format!("expected 0x and {} hex digits, given {text:?}: {e}", 2 * N))?;
    Ok(bytes)
}

impl TryFrom<String> for HexAddress {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        unhex(&text).map(|bytes| Self(Address(bytes)))
    }
}

impl From<HexAddress> for String {
    fn from(address: HexAddress) -> Self {
        address.0.to_string()
    }
}

impl TryFrom<String> for Hex32 {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        unhex(&text).map(Self)
    }
}

impl From<Hex32> for String {
    fn from(hash: Hex32) -> Self {
        hash.to_string()
    }
}

impl std::fmt::Display for Hex32 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

/// One contract of a deployment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractEntry {
    /// Where it is.
    pub address: HexAddress,
    /// keccak256 of its code.
    pub code_hash: Hex32,
    /// Hash of the sources that the bundle was built from; empty when the bundle came without.
    #[serde(default)]
    pub source_hash: String,
}

/// Both contracts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contracts {
    /// Payment channels.
    pub channels: ContractEntry,
    /// Per-second streams.
    pub streams: ContractEntry,
}

/// A token that the contracts take.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenEntry {
    /// Its ERC-20 address; zero for the native token.
    pub address: HexAddress,
    /// Decimals of its smallest unit, as contracts count it.
    pub decimals: u8,
    /// Its minimum balance, which each contract holds and never pays out; in units, as a string. None for the native token.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "units")]
    pub seed: Option<u128>,
}

/// Amounts are JSON strings: 2^53 is less than a DOT in wei.
mod units {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &Option<u128>, s: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(v) => s.serialize_str(&v.to_string()),
            None => s.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u128>, D::Error> {
        let text = Option::<String>::deserialize(d)?;
        text.map(|t| t.parse().map_err(|_| D::Error::custom(format!("expected an amount as a string of digits, given {t:?}")))).transpose()
    }
}

/// What the constructors were given, for whoever wants to check it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Shortest challenge period.
    pub min_challenge_period_secs: u32,
    /// Longest challenge period.
    pub max_challenge_period_secs: u32,
    /// The most a relay fee may be, in hundredths of a percent of a row's gain.
    pub fee_ceiling_bps: u16,
    /// Where mistaken transfers may be swept to.
    pub sweep_to: HexAddress,
}

/// A deployment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// Its name, as in the file's name.
    pub network: String,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Hash of block 0.
    pub genesis_hash: Hex32,
    /// The first block in which both contracts exist: nothing has to be read before it.
    pub block: u64,
    /// The contracts.
    pub contracts: Contracts,
    /// Tokens by the name that people use (`native`, `usdc`).
    pub tokens: BTreeMap<String, TokenEntry>,
    /// What the contracts were constructed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Arguments>,
}

impl Deployment {
    /// Reads and checks a file.
    ///
    /// # Errors
    ///
    /// Names the file, and the field when it is one field's fault.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, DeploymentError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| DeploymentError::File { path: path.into(), source })?;
        let deployment: Self = serde_json::from_str(&text).map_err(|source| DeploymentError::Shape { path: path.into(), source })?;
        deployment.check().map_err(|(field, detail)| DeploymentError::Field { path: path.into(), field, detail })?;
        Ok(deployment)
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), DeploymentError> {
        let path = path.as_ref();
        let failed = |source| DeploymentError::File { path: path.into(), source };
        let text = serde_json::to_string_pretty(self).map_err(|source| DeploymentError::Shape { path: path.into(), source })?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let draft = path.with_extension("json.new");
        std::fs::write(&draft, text + "\n").map_err(failed)?;
        std::fs::rename(&draft, path).map_err(failed)
    }

    fn check(&self) -> Result<(), (String, String)> {
        let bad = |field: &str, detail: String| Err((field.to_owned(), detail));
        for (field, contract) in [("contracts.channels.address", &self.contracts.channels), ("contracts.streams.address", &self.contracts.streams)] {
            if contract.address.0.is_zero() {
                return bad(field, "the zero address is no contract".into());
            }
        }
        if self.contracts.channels.address == self.contracts.streams.address {
            return bad("contracts.streams.address", format!("the same as channels: {}", self.contracts.streams.address.0));
        }
        for (name, token) in &self.tokens {
            if token.address.0.is_zero() && token.decimals != 18 {
                return bad(&format!("tokens.{name}.decimals"), format!("contracts count the native token with 18, given {}", token.decimals));
            }
            if !token.address.0.is_zero() && token.seed.is_none() {
                return bad(&format!("tokens.{name}.seed"), "an asset needs its minimum balance as seed".into());
            }
        }
        Ok(())
    }

    /// One of the two contracts.
    pub fn contract(&self, kind: ContractKind) -> &ContractEntry {
        match kind {
            ContractKind::Channels => &self.contracts.channels,
            ContractKind::Streams => &self.contracts.streams,
        }
    }

    /// What ids and signatures of one contract are bound to.
    pub fn binding(&self, kind: ContractKind) -> ids::Deployment {
        ids::Deployment { chain_id: self.chain_id, contract: self.contract(kind).address.0 }
    }

    /// A token by the name that people use.
    pub fn token(&self, name: &str) -> Option<&TokenEntry> {
        self.tokens.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> String {
        let (a, b, h) = ("11".repeat(20), "22".repeat(20), "33".repeat(32));
        format!(
            r#"{{"network":"dev","chain_id":420420420,"genesis_hash":"0x{h}","block":7,
            "contracts":{{"channels":{{"address":"0x{a}","code_hash":"0x{h}","source_hash":"abc"}},"streams":{{"address":"0x{b}","code_hash":"0x{h}"}}}},
            "tokens":{{"native":{{"address":"0x{z}","decimals":18}},"usdc":{{"address":"0x0000053900000000000000000000000001200000","decimals":6,"seed":"10000"}}}}}}"#,
            z = "00".repeat(20)
        )
    }

    fn load(text: &str) -> Result<Deployment, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.json");
        std::fs::write(&path, text).unwrap();
        Deployment::load(&path).map_err(|e| e.to_string())
    }

    #[test]
    fn a_saved_deployment_loads_as_it_was() {
        let deployment = load(&example()).unwrap();
        assert_eq!(deployment.token("usdc").unwrap().seed, Some(10_000));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.json");
        deployment.save(&path).unwrap();
        assert_eq!(Deployment::load(&path).unwrap(), deployment);
    }

    #[test]
    fn errors_name_the_field() {
        let cases = [
            (example().replace("\"chain_id\":420420420,", ""), "missing field `chain_id`"),
            (example().replace("\"block\":7", "\"block\":7,\"blok\":8"), "unknown field `blok`"),
            (example().replace("\"10000\"", "10000"), "expected a string"),
            (example().replace("\"10000\"", "\"ten\""), "string of digits, given \"ten\""),
            (example().replace(",\"seed\":\"10000\"", ""), "field `tokens.usdc.seed`"),
            (example().replace("\"decimals\":18", "\"decimals\":10"), "field `tokens.native.decimals`"),
            (example().replace(&"22".repeat(20), &"11".repeat(20)), "field `contracts.streams.address`"),
            (example().replace(&"11".repeat(20), "11"), "expected 0x and 40 hex digits, given \"0x11\""),
        ];
        for (text, expected) in cases {
            let error = load(&text).unwrap_err();
            assert!(error.contains(expected), "{error} should contain {expected}");
        }
    }
}
