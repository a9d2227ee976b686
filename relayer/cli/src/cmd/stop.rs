//! Told to stop, or to read the certificate again.

use anyhow::Context;
use std::sync::Arc;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Notify, watch},
};

/// Says true at the first SIGINT or SIGTERM; the second ends the process at once, which loses nothing that was answered.
pub fn stop_on_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let (tell, told) = watch::channel(false);
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    tokio::spawn(async move {
        for code in [None, Some(130)] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            match code {
                None => drop(tell.send(true)),
                Some(code) => std::process::exit(code),
            }
        }
    });
    Ok(told)
}

/// SIGHUP: the certificate is read again. Without TLS it does nothing, and does not end the process either.
pub fn reload_on_signal(reload: Arc<Notify>) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup()).context("cannot listen for signals")?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            reload.notify_one();
        }
    });
    Ok(())
}
