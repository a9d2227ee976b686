//! A child process that does not outlive us.

use crate::{Context, Error, Result};
use std::{
    fs::File,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// How often a process and its log are looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// A child process with its output in a file. Killed when dropped, unless it was let go.
pub struct Process {
    name: &'static str,
    child: Option<Child>,
    log: PathBuf,
}

impl Process {
    /// Starts it; its output is added to the log. It is in a process group of its own: ctrl-C reaches us, and we stop it in good order.
    ///
    /// # Errors
    ///
    /// When the log cannot be written or the program cannot be run.
    pub fn start(name: &'static str, mut command: Command, log: &Path) -> Result<Self> {
        let failed = || format!("cannot write {}", log.display());
        let out = File::options().create(true).append(true).open(log).doing(failed())?;
        let err = out.try_clone().doing(failed())?;
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0).spawn().doing(format!("cannot run {program}"))?;
        Ok(Self { name, child: Some(child), log: log.into() })
    }

    /// Its process id; 0 when it was let go.
    pub fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    /// SIGKILL: no goodbye, nothing flushed. Returns when it is gone.
    pub fn kill(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, and SIGKILL when it takes longer than patience lasts.
    ///
    /// # Errors
    ///
    /// When it had to be killed, or ended badly.
    pub async fn stop(&mut self, patience: Duration) -> Result<()> {
        let (name, id) = (self.name, self.id());
        if self.child.is_none() {
            return Ok(());
        }
        if self.ended().is_none() {
            // The shell's own `kill`: the program of that name is not on every machine.
            let _ = Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).stderr(Stdio::null()).status();
        }
        let begun = Instant::now();
        while begun.elapsed() < patience {
            match self.ended() {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(Error::new(format!("{name} ended with {status}:\n{}", self.tail()))),
                None => sleep(GLANCE).await,
            }
        }
        self.kill();
        Err(Error::new(format!("{name} did not end within {patience:?} of SIGTERM and was killed")))
    }

    /// Lets it run on after us; returns its process id.
    pub fn let_go(&mut self) -> u32 {
        self.child.take().map_or(0, |child| child.id())
    }

    /// Waits until a line with this text is in the log, beyond the first `skip` bytes; returns the line.
    ///
    /// # Errors
    ///
    /// When the process ends first, or it takes longer than patience lasts: with the end of the log.
    pub async fn wait_for_line(&mut self, text: &str, skip: usize, patience: Duration) -> Result<String> {
        let begun = Instant::now();
        loop {
            let ended = self.ended();
            let log = std::fs::read(&self.log).unwrap_or_default();
            let log = String::from_utf8_lossy(log.get(skip..).unwrap_or_default()).into_owned();
            if let Some(line) = log.split_inclusive('\n').find(|line| line.ends_with('\n') && line.contains(text)) {
                return Ok(line.trim().to_owned());
            }
            if let Some(status) = ended {
                return Err(Error::new(format!("{} ended with {status} before it was ready:\n{}", self.name, self.tail())));
            }
            if begun.elapsed() > patience {
                return Err(Error::new(format!("{} was not ready within {patience:?}:\n{}", self.name, self.tail())));
            }
            sleep(GLANCE).await;
        }
    }

    /// The end of its log, for an error's reader.
    pub fn tail(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log).into_owned();
        let lines: Vec<_> = text.lines().collect();
        let last = lines.len().saturating_sub(12);
        let shown = lines.get(last..).unwrap_or_default().join("\n  ");
        format!("  {shown}\n  ({})", self.log.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An HTTP client that gives up: a request that gets no answer is an error with a name, not a test that never ends.
pub fn http() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap_or_default()
}

/// A program that the same build made: beside this one, or one folder up for a test.
///
/// # Errors
///
/// When it is not there.
pub fn built(program: &str) -> Result<PathBuf> {
    let this = std::env::current_exe().doing("cannot find this program's own path")?;
    let folders = this.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(program)).find(|path| path.is_file());
    found.ok_or_else(|| Error::new(format!("{program} is not built (looked beside {}): run scripts/demo, or scripts/test build", this.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (Process, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        (Process::start("a shell", command, &folder.path().join("log")).unwrap(), folder)
    }

    #[tokio::test]
    async fn a_line_is_waited_for_and_a_stop_is_clean() {
        let (mut shell, _folder) = shell("trap 'exit 0' TERM; sleep 0.2; echo ready 7; while :; do sleep 0.05; done");
        assert_eq!(shell.wait_for_line("ready", 0, Duration::from_secs(10)).await.unwrap(), "ready 7");
        shell.stop(Duration::from_secs(10)).await.unwrap();
    }

    #[tokio::test]
    async fn one_that_ends_early_shows_its_log() {
        let (mut shell, _folder) = shell("echo the port is taken; exit 3");
        let error = shell.wait_for_line("ready", 0, Duration::from_secs(10)).await.unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.contains("the port is taken"), "{error}");
    }

    #[tokio::test]
    async fn one_that_does_not_stop_is_killed() {
        let (mut shell, _folder) = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
        shell.wait_for_line("ready", 0, Duration::from_secs(10)).await.unwrap();
        assert!(shell.stop(Duration::from_millis(300)).await.is_err());
        assert!(shell.ended().is_some());
    }
}
