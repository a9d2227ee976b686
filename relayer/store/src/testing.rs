//! A Postgres of the tests' own: in a temporary folder, on a unix socket, run by an unprivileged user, gone with the process that started it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use crate::Location;
use std::{
    fs,
    io::{BufRead, BufReader, Lines, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Runs as the server's user. It obeys words on its standard input, and when that closes, because the tests are over or were killed, cleans up.
const SCRIPT: &str = r#"
dir=$(mktemp -d /tmp/rivulet-postgres-XXXXXX) || exit 1
cd "$dir"
stop() { [ -z "$pid" ] || { kill -"$1" "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }; pid=; }
fail() { echo "failed: $1"; tail -5 "$dir/$1.log"; stop QUIT; rm -rf "$dir"; exit 1; }
start() {
  # Its power can be cut when there is a library for it (tests/power-cut). `env` becomes the server: its process id stays.
  env ${POWER:+LD_PRELOAD="$POWER" RIVULET_POWER_ROOT="$dir/data" RIVULET_POWER_KEPT="$dir/kept" RIVULET_POWER_LUCK=10} "$BIN/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c shared_buffers=32MB -c max_connections=200 $EXTRA >>"$dir/server.log" 2>&1 &
  pid=$!
  for i in $(seq 300); do # half a minute
    "$BIN/pg_isready" -q -h "$dir" -d postgres -U rivulet && { echo "ready $dir"; return; }
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  fail server
}
# Nor by a write to tests that are gone: then there would be nobody to end the server.
trap '' INT TERM HUP PIPE
"$BIN/initdb" -D "$dir/data" -U rivulet -A trust --no-sync -E UTF8 --locale=C >"$dir/initdb.log" 2>&1 || fail initdb
[ -z "$POWER" ] || { mkdir -p kept/files && cp -a data/. kept/files; }
start
while read -r word; do
  case $word in
    crash) stop QUIT; echo crashed ;;
    # The server first: it starts no new children then.
    kill) all="$pid $(cat /proc/$pid/task/$pid/children)"; kill -KILL $all 2>/dev/null; wait "$pid" 2>/dev/null; pid=
      while kill -0 $all 2>/dev/null; do sleep 0.01; done; echo killed ;;
    # It may have ended by itself, when its disk was full.
    ensure) if grep -q '^State:.[^Z]' /proc/$pid/status 2>/dev/null; then echo "ready $dir"; else wait "$pid" 2>/dev/null; start; fi ;;
    cut) rm -rf data kept/dirty && cp -a kept/files data && chmod 700 data && echo cut ;;
    start) start ;;
  esac
done
stop INT
rm -rf "$dir"
"#;

/// A running server.
#[derive(Debug)]
pub struct Server {
    dir: PathBuf,
    words: Mutex<(ChildStdin, Lines<BufReader<ChildStdout>>)>,
    databases: AtomicUsize,
    _keeper: Child,
}

const NEEDED: [&str; 3] = ["initdb", "postgres", "pg_isready"];

/// Where Debian and others put the server's programs.
fn programs() -> PathBuf {
    let in_path = std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let mut found: Vec<_> = in_path.chain(versions).filter(|dir| NEEDED.iter().all(|program| dir.join(program).exists())).collect();
    found.sort();
    found.pop().expect("these tests need a Postgres server: `scripts/setup test` installs Debian's package postgresql")
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

impl Server {
    /// Starts one. `extra`: more options of the server.
    ///
    /// # Panics
    /// When Postgres is not installed, or does not start.
    pub fn start(extra: &str) -> Self {
        Self::start_with_power(extra, "")
    }

    /// As [`Server::start`], with the library of `tests/power-cut`, readable by anybody, in the server: its power can be cut.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn start_with_power(extra: &str, library: &str) -> Self {
        // The server refuses to run as root.
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh", "-c", SCRIPT]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", SCRIPT]);
            command
        };
        let command =
            command.current_dir("/").env("BIN", programs()).env("EXTRA", extra).env("POWER", library).stdin(Stdio::piped()).stdout(Stdio::piped());
        // A signal to the tests, such as Ctrl-C, is not for it: it ends by itself, in order, when they have.
        let command = command.process_group(0);
        let mut keeper = command.spawn().expect("cannot run the server's script");
        let (to, from) = (keeper.stdin.take().unwrap(), BufReader::new(keeper.stdout.take().unwrap()).lines());
        let mut server = Self { dir: PathBuf::new(), words: Mutex::new((to, from)), databases: AtomicUsize::new(0), _keeper: keeper };
        server.dir = server.answer("ready ").into();
        server
    }

    /// The rest of the next line, which begins with `expected`.
    fn answer(&self, expected: &str) -> String {
        let mut words = self.words.lock().unwrap();
        let line = words.1.next().and_then(Result::ok).unwrap_or_default();
        if let Some(rest) = line.strip_prefix(expected) {
            return rest.to_owned();
        }
        let more: Vec<_> = words.1.by_ref().map_while(Result::ok).collect();
        panic!("Postgres: {line}\n{}", more.join("\n"));
    }

    fn say(&self, word: &str) {
        writeln!(self.words.lock().unwrap().0, "{word}").unwrap();
    }

    /// Ends it as a power cut would, apart from what the system's cache saves.
    pub fn crash(&self) {
        self.say("crash");
        self.answer("crashed");
    }

    /// SIGKILL for all of its processes.
    pub fn kill(&self) {
        self.say("kill");
        self.answer("killed");
    }

    /// Takes away what a killed server had not synced.
    pub fn cut_power(&self) {
        self.say("cut");
        self.answer("cut");
    }

    /// Fills its disk, or makes room.
    pub fn fill_disk(&self, full: bool) {
        let path = self.dir.join("kept/full");
        if full { fs::write(path, "").unwrap() } else { fs::remove_file(path).unwrap() }
    }

    /// Starts it again if it has ended by itself.
    pub fn ensure(&self) {
        self.say("ensure");
        self.answer("ready ");
    }

    /// Starts it again; it recovers from its log.
    pub fn restart(&self) {
        self.say("start");
        self.answer("ready ");
    }

    /// The folder with its socket.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=rivulet", self.dir.display())
    }

    /// A new, empty database's address.
    pub async fn fresh_url(&self) -> String {
        let name = format!("relayer_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute("postgres", &format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    /// A new, empty database.
    pub async fn fresh(&self) -> Location {
        self.fresh_url().await.parse().unwrap()
    }

    /// Runs SQL in a database.
    pub async fn execute(&self, database: &str, sql: &str) {
        with_client(&self.url(database), async |client| client.batch_execute(sql).await.unwrap()).await;
    }
}

async fn with_client<T>(url: &str, work: impl AsyncFnOnce(&tokio_postgres::Client) -> T) -> T {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let value = work(&client).await;
    drop(client);
    connection.await.unwrap().unwrap();
    value
}

/// What a query finds in a database: the first column, as text, of its first row.
pub async fn text(url: &str, sql: &str) -> Option<String> {
    with_client(url, async |client| client.query_opt(sql, &[]).await.unwrap().map(|row| row.get(0))).await
}

/// The server that the tests of a process share, each with databases of its own.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(""))
}
