//! An author's desk: a folder with prompts, often a Git repository, and the real binary run in it with a clean environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

/// A folder and a cache of its own.
pub struct Desk {
    folder: TempDir,
    cache: TempDir,
}

/// What a run of the binary left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The result, from stdout.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Everything a person sees.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl Desk {
    /// A folder outside any repository.
    pub fn plain() -> Self {
        Self { folder: TempDir::new().unwrap(), cache: TempDir::new().unwrap() }
    }

    /// A repository with the branch `main` and these files committed to it.
    pub fn repository(files: &[(&str, &str)]) -> Self {
        let desk = Self::plain();
        desk.git(&["init", "--quiet", "--initial-branch=main"]);
        for (path, text) in files {
            desk.write(path, text);
        }
        desk.commit("start");
        desk
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.file(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.file(path)).unwrap()
    }

    /// Commits everything and gives the commit.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs `git` and gives what it printed.
    pub fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.path());
        for person in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{person}_NAME"), "Mara").env(format!("GIT_{person}_EMAIL"), "mara@example.org");
        }
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The variables that a run of the binary needs.
    pub fn surroundings(&self) -> [(&'static str, OsString); 3] {
        let home = self.cache.path();
        [
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("HOME", home.into()),
            ("PROMPTOPS_CACHE_DIR", home.join("answers").into()),
        ]
    }

    /// Runs the binary without any provider.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_in("", arguments, &[]).await
    }

    /// Runs the binary with an OpenAI-compatible server.
    pub async fn ask(&self, server: &super::provider::Scripted, arguments: &[&str]) -> Ran {
        self.run_in("", arguments, &[("OPENAI_BASE_URL", &format!("{}/v1", server.url()))]).await
    }

    /// Runs the binary in a folder of the desk, with these variables and no others that matter.
    pub async fn run_in(&self, below: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_promptops"));
        command.env_clear().envs(self.surroundings());
        command.envs(variables.iter().copied()).args(arguments).current_dir(self.file(below));
        command.timeout(Duration::from_secs(60));
        // The scripted provider answers on this thread meanwhile.
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran =
            Ran { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!ran.said().contains("panicked"), "{ran:?}");
        ran
    }
}
