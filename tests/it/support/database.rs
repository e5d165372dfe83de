//! A database per test: SQLite in a folder of its own, PostgreSQL in a private cluster of this process.

use std::fs::{self, File};
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use promptops::store::Store;
use tempfile::TempDir;

/// One empty database, gone with the value (SQLite) or with the process (PostgreSQL).
pub struct TestDatabase {
    pub url: String,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    pub fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        Self { url, _folder: Some(folder) }
    }

    /// `None` where there is no PostgreSQL; under CI that is a failure.
    pub async fn postgres() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Some(cluster) = cluster() else {
            assert!(std::env::var_os("CI").is_none(), "PostgreSQL is not installed, and CI must not skip it");
            eprintln!("SKIPPED on PostgreSQL: no initdb and pg_ctl found; install PostgreSQL to run this test on it");
            return None;
        };
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        sqlx::any::install_default_drivers();
        let admin = sqlx::AnyPool::connect(&cluster.url("postgres")).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin).await.unwrap();
        admin.close().await;
        Some(Self { url: cluster.url(&name), _folder: None })
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }
}

/// Tells one story on both databases.
pub async fn on_each_database<F: Future<Output = ()>>(story: impl Fn(Store) -> F) {
    let database = TestDatabase::sqlite();
    story(database.open().await).await;
    if let Some(database) = TestDatabase::postgres().await {
        let store = database.open().await;
        story(store.clone()).await;
        store.close().await;
    }
}

struct Cluster {
    folder: PathBuf,
    /// Stops the server and removes the folder when our end of its input closes, however this process ends.
    _guardian: Child,
}

impl Cluster {
    fn url(&self, database: &str) -> String {
        format!("postgres://tester@localhost/{database}?host={}", self.folder.display())
    }
}

const GUARDIAN: &str = r#"
cd "$1" || exit 1
if "$2/initdb" -D data -U tester -A trust -E UTF8 --locale=C --no-sync &&
    "$2/pg_ctl" -D data -w -t 60 -l server.log \
        -o "-c listen_addresses='' -c unix_socket_directories='$1' -c max_connections=300 -c fsync=off" start
then
    echo ready >&3
    cat
    "$2/pg_ctl" -D data -t 20 -m immediate stop
    cd / && rm -rf "$1"
fi
"#;

fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER.get_or_init(|| binaries().map(|folder| start(&folder))).as_ref()
}

fn start(binaries: &Path) -> Cluster {
    let folder = TempDir::with_prefix("pg-").unwrap().keep();
    let log = File::create(folder.join("guardian.log")).unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("exec 3>&1 >&2\n{GUARDIAN}"), "guardian"])
        .args([&folder, binaries])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log);
    // PostgreSQL refuses to run as root.
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        let (user, group) = unprivileged_user();
        chown(&folder, Some(user), Some(group)).unwrap();
        command.uid(user).gid(group);
    }
    let mut guardian = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(guardian.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready", "PostgreSQL did not start: {}", folder.join("guardian.log").display());
    Cluster { folder, _guardian: guardian }
}

fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin")).collect();
    folders.sort();
    folders.extend(std::env::split_paths(&path));
    folders.into_iter().rev().find(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|it| folder.join(it).exists()))
}

fn unprivileged_user() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let ids = |wanted: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(wanted))?;
        let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
        Some((fields.next()?, fields.next()?))
    };
    ids("postgres").or_else(|| ids("nobody")).expect("a user postgres or nobody to run PostgreSQL as")
}
