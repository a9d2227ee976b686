//! The password of the database, which may stand in the address, in a file or in the environment. It is never shown.

use anyhow::{Context, bail};
use rivulet_server::config::Config;

/// Holds the password itself.
const VARIABLE: &str = "RIVULET_DATABASE_PASSWORD";

/// Adds the password to the database's address, if that has none: the variable goes before the file.
pub fn add_password(config: &mut Config) -> anyhow::Result<()> {
    if let Ok(password) = std::env::var(VARIABLE) {
        config.database.set_password(&password);
    } else if let Some(path) = &config.database_password_file {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the password file {shown}"))?;
        let password = text.trim_end_matches(['\r', '\n']);
        if password.is_empty() {
            bail!("the password file {shown} is empty");
        }
        config.database.set_password(password);
    }
    Ok(())
}
