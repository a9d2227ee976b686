//! A program with the library in it, and what is left of its files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn library() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let found = this.ancestors().skip(1).take(2).map(|folder| folder.join("librivulet_power_cut.so")).find(|path| path.is_file());
    found.expect("the library is built beside its tests")
}

struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("disk")).unwrap();
        fs::create_dir(folder.path().join("kept")).unwrap();
        Self { folder }
    }

    fn kept(&self, name: &str) -> PathBuf {
        self.folder.path().join("kept").join(name)
    }

    /// Runs a program in the watched folder.
    fn run(&self, luck: &str, program: &str, args: &[&str]) -> std::process::Output {
        let root = fs::canonicalize(self.folder.path().join("disk")).unwrap();
        let mut command = Command::new(program);
        command.args(args).current_dir(&root).env("LD_PRELOAD", library()).env("RIVULET_POWER_LUCK", luck);
        command.env("RIVULET_POWER_ROOT", &root).env("RIVULET_POWER_KEPT", fs::canonicalize(self.folder.path().join("kept")).unwrap());
        command.output().unwrap()
    }

    fn dd(&self, luck: &str, args: &[&str]) -> std::process::Output {
        self.run(luck, "dd", &[&["if=/dev/urandom", "bs=5000"], args].concat())
    }

    fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join("disk").join(name)).unwrap()
    }

    fn copy(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.kept("files").join(name)).ok()
    }
}

fn is_there(path: &Path) -> bool {
    path.exists()
}

#[test]
fn what_was_synced_is_kept_and_what_was_not_is_gone() {
    let machine = Machine::new();
    assert!(machine.dd("0", &["of=synced", "count=3", "conv=fsync"]).status.success());
    assert!(machine.dd("0", &["of=lost", "count=3"]).status.success());
    assert_eq!(machine.file("lost").len(), 15_000);
    assert_eq!(machine.copy("lost"), None);
    let before = machine.file("synced");
    assert_eq!(machine.copy("synced").unwrap(), before);
    // Over it, without a sync: the copy has what was there before.
    assert!(machine.dd("0", &["of=synced", "count=1", "seek=1", "conv=notrunc"]).status.success());
    assert_ne!(machine.file("synced"), before);
    assert_eq!(machine.copy("synced").unwrap(), before);
    // The next sync of the file, by anybody, brings that too.
    assert!(machine.dd("0", &["of=synced", "count=1", "seek=3", "conv=notrunc,fdatasync"]).status.success());
    assert_eq!(machine.copy("synced").unwrap(), machine.file("synced"));
}

#[test]
fn a_file_that_is_cut_and_grows_again_is_copied_as_it_is() {
    let machine = Machine::new();
    assert!(machine.dd("0", &["of=a", "count=4", "conv=fsync"]).status.success());
    assert!(machine.run("0", "truncate", &["-s", "100", "a"]).status.success());
    assert!(machine.run("0", "truncate", &["-s", "9000", "a"]).status.success());
    assert_eq!(machine.copy("a").unwrap().len(), 20_000, "nothing was synced");
    assert!(machine.dd("0", &["of=a", "count=1", "seek=4", "conv=notrunc,fsync"]).status.success());
    assert_eq!(machine.copy("a").unwrap(), machine.file("a"));
}

#[test]
fn a_name_moves_at_once_and_its_bytes_only_if_they_were_synced() {
    let machine = Machine::new();
    assert!(machine.dd("0", &["of=good", "count=1", "conv=fsync"]).status.success());
    assert!(machine.dd("0", &["of=bad", "count=1"]).status.success());
    // Not mv: it uses another call, which no program of ours does.
    assert!(machine.run("0", "perl", &["-e", "rename('good', 'new') && rename('bad', 'newer') || die"]).status.success());
    assert_eq!(machine.copy("new").unwrap(), machine.file("new"));
    assert_eq!(machine.copy("newer").unwrap(), b"");
    assert!(!is_there(&machine.kept("files/good")));
}

#[test]
fn a_folder_is_synced_without_ado() {
    let machine = Machine::new();
    let script = "mkdir 'sub' or die; open(my $d, '<', 'sub') or die; use IO::Handle; $d->sync or die $!";
    let output = machine.run("0", "perl", &["-e", script]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(machine.kept("files/sub").is_dir());
}

#[test]
fn with_luck_writes_survive_without_a_sync() {
    let machine = Machine::new();
    assert!(machine.dd("100", &["of=a", "count=3"]).status.success());
    assert_eq!(machine.copy("a").unwrap(), machine.file("a"));
}

#[test]
fn a_full_disk_refuses_and_a_wrong_clock_is_wrong() {
    let machine = Machine::new();
    fs::write(machine.kept("full"), "").unwrap();
    let refused = machine.dd("0", &["of=a", "count=1"]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("No space left on device"));
    let now = || String::from_utf8(machine.run("0", "date", &["+%s"]).stdout).unwrap().trim().parse::<i64>().unwrap();
    let before = now();
    fs::write(machine.kept("clock"), "-3600000").unwrap();
    assert!((now() - before + 3_600).abs() < 60);
}
