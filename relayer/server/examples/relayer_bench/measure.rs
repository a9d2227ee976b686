//! Clocks, memory, cores.

use std::{
    process::Command,
    time::{Duration, Instant},
};

/// By the clock, and of processor time of this process. The second hardly minds what else runs on the machine.
pub struct Stopwatch(Instant, f64);

/// Seconds.
#[derive(Clone, Copy)]
pub struct Spent {
    pub clock: f64,
    pub cpu: f64,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self(Instant::now(), cpu_secs())
    }
    pub fn spent(&self) -> Spent {
        Spent { clock: self.0.elapsed().as_secs_f64(), cpu: cpu_secs() - self.1 }
    }
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// User and system time of this process, in seconds: fields 14 and 15 of its stat, in hundredths.
fn cpu_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// Memory of this process that is in RAM and not a file's, in bytes.
pub fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// From now on this process, with all threads it has and will have, runs on one core only.
pub fn pin_to(core: usize) {
    let (core, pid) = (core.to_string(), std::process::id().to_string());
    let done = Command::new("taskset").args(["-a", "-c", "-p", &core, &pid]).output().expect("taskset, of util-linux");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The core that the relayer runs on, and the one that what sends to it runs on.
pub const CORES: (usize, usize) = (0, 1);
