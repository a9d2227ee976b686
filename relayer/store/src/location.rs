//! Where the database is: a file, or a server.

use std::{fmt, path::PathBuf, str::FromStr};
use tokio_postgres::config::{Host, SslMode};

/// Where the database is. Neither `Display` nor `Debug` shows a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// An SQLite file, for one relayer.
    Sqlite(PathBuf),
    /// A Postgres server, for any number of relayers.
    Postgres(Box<tokio_postgres::Config>),
}

/// Why a text is no location. It repeats no password.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LocationError {
    /// Nothing.
    #[error("expected a file or postgres://user@host/database, got nothing")]
    Empty,
    /// Another kind of database.
    #[error("expected a file or postgres://user@host/database, got {scheme}://…")]
    Scheme {
        /// Which.
        scheme: String,
    },
    /// Not an address of a server.
    #[error("expected postgres://user@host/database: {reason}")]
    Postgres {
        /// What is wrong with it.
        reason: String,
    },
    /// Encryption was asked for.
    #[error("sslmode=require: this build speaks no TLS to Postgres; use a unix socket, the same machine or a private network, with sslmode=disable")]
    NoTls,
}

impl Location {
    /// Uses this password, unless the address has one. Files need none.
    pub fn set_password(&mut self, password: &str) {
        if let Self::Postgres(config) = self
            && config.get_password().is_none()
        {
            config.password(password);
        }
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        match text.split_once("://") {
            _ if text.is_empty() => Err(LocationError::Empty),
            Some(("postgres" | "postgresql", _)) => {
                // The parser's error names what is unknown, which may be a part of a password with a stray character: only its kind is told.
                let config: tokio_postgres::Config = text.parse().map_err(|e: tokio_postgres::Error| {
                    let reason = match std::error::Error::source(&e).map(ToString::to_string) {
                        Some(cause) if cause.starts_with("unknown option") => "an option that is not known".to_owned(),
                        _ => "it cannot be read; special characters in a password are written as %XX".to_owned(),
                    };
                    LocationError::Postgres { reason }
                })?;
                let missing = |what: &str| Err(LocationError::Postgres { reason: format!("no {what}") });
                if config.get_ssl_mode() == SslMode::Require {
                    return Err(LocationError::NoTls);
                }
                if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
                    return missing("host");
                }
                if config.get_user().is_none() {
                    return missing("user");
                }
                if config.get_dbname().is_none() {
                    return missing("database");
                }
                Ok(Self::Postgres(Box::new(config)))
            }
            Some(("sqlite", path)) => Ok(Self::Sqlite(path.into())),
            Some((scheme, _)) => Err(LocationError::Scheme { scheme: scheme.to_owned() }),
            // A file's name is shown, and these are none.
            None if text.starts_with("postgres:") || text.starts_with("postgresql:") || text.contains("password=") => {
                Err(LocationError::Postgres { reason: "it begins otherwise".to_owned() })
            }
            None => Ok(Self::Sqlite(text.into())),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = match self {
            Self::Sqlite(path) => return write!(f, "{}", path.display()),
            Self::Postgres(config) => config,
        };
        let hosts: Vec<_> = config
            .get_hosts()
            .iter()
            .map(|host| match host {
                Host::Tcp(name) => name.clone(),
                Host::Unix(path) => path.display().to_string(),
            })
            .collect();
        let is_usual = config.get_ports().iter().all(|port| *port == 5_432);
        let ports: Vec<_> = config.get_ports().iter().map(ToString::to_string).collect();
        let port = if is_usual { String::new() } else { format!(":{}", ports.join(",")) };
        write!(f, "postgres://{}@{}{port}/{}", config.get_user().unwrap_or_default(), hosts.join(","), config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(text: &str) -> Result<Location, String> {
        text.parse().map_err(|e: LocationError| e.to_string())
    }

    #[test]
    fn files_and_servers_are_told_apart() {
        assert_eq!(location("relayer.db"), Ok(Location::Sqlite("relayer.db".into())));
        assert_eq!(location("sqlite:///var/lib/relayer.db"), Ok(Location::Sqlite("/var/lib/relayer.db".into())));
        for (given, shown) in [
            ("postgres://rivulet@db.example:5433/rivulet", "postgres://rivulet@db.example:5433/rivulet"),
            ("postgresql://rivulet@a,b/rivulet", "postgres://rivulet@a,b/rivulet"),
            ("postgres:///rivulet?host=/run/postgresql&user=rivulet", "postgres://rivulet@/run/postgresql/rivulet"),
        ] {
            let location = location(given).unwrap();
            assert!(matches!(location, Location::Postgres(_)));
            assert_eq!(location.to_string(), shown);
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let mut given = location("postgres://rivulet:Tr0ub4dor@db/rivulet").unwrap();
        given.set_password("another one");
        assert!(matches!(&given, Location::Postgres(c) if c.get_password() == Some(b"Tr0ub4dor")));
        assert!(!format!("{given} {given:?}").contains("Tr0ub4dor"));
        let mut without = location("postgres://rivulet@db/rivulet").unwrap();
        without.set_password("Tr0ub4dor");
        assert!(matches!(&without, Location::Postgres(c) if c.get_password() == Some(b"Tr0ub4dor")));
        assert!(!format!("{without} {without:?}").contains("Tr0ub4dor"));
        for bad in [
            "postgres://rivulet:Tr0ub4dor@db:port/rivulet",
            "postgres://rivulet:Tr0ub4dor@db/rivulet?Tr0ub4dor=1",
            "mysql://u:Tr0ub4dor@h/d",
            "postgres:/rivulet:Tr0ub4dor@db/rivulet",
            "host=db user=rivulet password=Tr0ub4dor",
        ] {
            let error = location(bad).unwrap_err();
            assert!(error.starts_with("expected ") && !error.contains("Tr0ub4dor"), "{error}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (given, named) in [
            ("", "nothing"),
            ("postgres://rivulet@/rivulet", "no host"),
            ("postgres://db/rivulet", "no user"),
            ("postgres://rivulet@db", "no database"),
            ("postgres://rivulet@db/rivulet?sslmode=require", "no TLS"),
            ("redis://db", "redis"),
        ] {
            let error = location(given).unwrap_err();
            assert!(error.contains(named), "{given}: {error}");
        }
    }
}
