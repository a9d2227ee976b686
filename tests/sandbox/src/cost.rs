//! What a call costs whoever submits it.

/// Of one transaction, on the Hub's parameters. Weight is that of the call and its extensions, without the base of every transaction, which the fee contains.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Time used, in picoseconds.
    pub ref_time_ps: u64,
    /// Proof used.
    pub proof_size_bytes: u64,
    /// Calldata of the contract.
    pub calldata_bytes: u64,
    /// The whole signed transaction, which is what the length fee counts.
    pub tx_bytes: u64,
    /// Charged for storage that grew, an account's creation included; negative: given back.
    pub storage_deposit_planck: i128,
    /// The fee paid, at multiplier 1.
    pub fee_planck: u128,
    /// The fee at multiplier 0.1, the Hub's floor.
    pub fee_low_planck: u128,
}

impl Cost {
    /// The cost of one of `n` equal parts, rounded down.
    #[must_use]
    pub fn per(&self, n: u64) -> Self {
        let (n, wide) = (n.max(1), u128::from(n.max(1)));
        Self {
            ref_time_ps: self.ref_time_ps / n,
            proof_size_bytes: self.proof_size_bytes / n,
            calldata_bytes: self.calldata_bytes / n,
            tx_bytes: self.tx_bytes / n,
            storage_deposit_planck: self.storage_deposit_planck / i128::from(n),
            fee_planck: self.fee_planck / wide,
            fee_low_planck: self.fee_low_planck / wide,
        }
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dot = |planck: u128| planck as f64 / 1e10;
        write!(
            f,
            "{:.1} µs, {} B of proof, {} B of calldata, {} B in all, deposit {} planck, {:.6} DOT ({:.6} at 0.1)",
            self.ref_time_ps as f64 / 1e6,
            self.proof_size_bytes,
            self.calldata_bytes,
            self.tx_bytes,
            self.storage_deposit_planck,
            dot(self.fee_planck),
            dot(self.fee_low_planck)
        )
    }
}
