//! A workflow's runner as the Action's install script sees it: folders, a tool cache, and a mirror of the releases with a program
//! that says no more than its version. Knows nothing of what the Action evaluates.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The version of this source, which is what the Action installs when it is asked for none.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What the workers of the usual runner are built for.
pub const TARGET: &str = "x86_64-unknown-linux-musl";

/// The root of the source, where `action.yml` is.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Writes a file that can be run.
pub fn program(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A program that knows its version.
pub fn stand_in(version: &str) -> String {
    format!("#!/bin/sh\necho promptops {version}\n")
}

/// Runs a command that must succeed and gives what it printed.
pub fn must(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Packs a folder's `promptops` as a release does.
pub fn pack(from: &Path, archive: &Path) {
    let name = archive.file_name().unwrap().to_str().unwrap().trim_end_matches(".tar.gz").to_owned();
    let rename = format!("s,^,{name}/,");
    must(
        Command::new("tar")
            .args(["-I", "gzip -1", "-cf"])
            .arg(archive)
            .args(["--transform", &rename, "-C"])
            .arg(from)
            .arg("promptops"),
    );
}

/// Writes `SHA256SUMS` over the archives of a release's folder.
pub fn sum(release: &Path) {
    let sums = must(Command::new("sh").args(["-c", "sha256sum *.tar.gz"]).current_dir(release));
    fs::write(release.join("SHA256SUMS"), sums).unwrap();
}

/// What the script left behind.
#[derive(Debug)]
pub struct Installed {
    pub code: i32,
    pub said: String,
    pub outputs: String,
}

/// A runner's folders, a mirror beside them, and a `bin` in front of the usual programs.
pub struct Runner {
    folder: TempDir,
    variables: Vec<(String, String)>,
    path: Option<PathBuf>,
}

impl Runner {
    /// Linux on x86-64; the mirror is a folder with this version.
    pub fn new() -> Self {
        let runner = Self { folder: TempDir::new().unwrap(), variables: Vec::new(), path: None };
        for folder in ["temp", "tools", "bin", "work"] {
            fs::create_dir(runner.file(folder)).unwrap();
        }
        runner.publish(VERSION, TARGET, &stand_in(VERSION));
        let mirror = format!("file://{}", runner.file("mirror").display());
        runner.with("RUNNER_OS", "Linux").with("RUNNER_ARCH", "X64").with("PROMPTOPS_DOWNLOAD_URL", &mirror)
    }

    pub fn file(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    /// With this variable, which replaces one of that name.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a program in front of all others.
    pub fn with_program(self, name: &str, text: &str) -> Self {
        program(&self.file("bin").join(name), text);
        self
    }

    /// Without any program but the script's own few tools: neither cargo nor gh, wherever this machine has them.
    pub fn bare(mut self) -> Self {
        let tools =
            "awk bash cat curl cut dirname env grep gzip head mkdir mktemp mv rm sed sh sha256sum tail tar uname";
        let bin = self.file("bare");
        fs::create_dir(&bin).unwrap();
        for tool in tools.split(' ') {
            let found = must(Command::new("sh").args(["-c", &format!("command -v {tool}")]));
            std::os::unix::fs::symlink(found.trim(), bin.join(tool)).unwrap();
        }
        self.path = Some(bin);
        self
    }

    /// Adds a release to the mirror.
    pub fn publish(&self, version: &str, target: &str, text: &str) {
        let (from, release) = (self.file("pack"), self.release(version));
        program(&from.join("promptops"), text);
        fs::create_dir_all(&release).unwrap();
        pack(&from, &release.join(format!("promptops-{version}-{target}.tar.gz")));
        sum(&release);
    }

    /// The folder of a release on the mirror.
    pub fn release(&self, version: &str) -> PathBuf {
        self.file("mirror").join(format!("v{version}"))
    }

    /// Runs the script as the Action does.
    pub fn install(&self) -> Installed {
        let outputs = self.file("outputs.txt");
        fs::write(&outputs, "").unwrap();
        let usual =
            self.path.clone().map_or_else(|| std::env::var_os("PATH").unwrap_or_default(), PathBuf::into_os_string);
        let mut path = self.file("bin").into_os_string();
        path.push(":");
        path.push(usual);
        let mut command = Command::new("bash");
        command.arg(root().join("action/install.sh")).current_dir(self.file("work")).env_clear().env("PATH", path);
        command.env("HOME", self.file("home")).env("GITHUB_OUTPUT", &outputs).stdin(Stdio::null());
        command.env("RUNNER_TEMP", self.file("temp")).env("RUNNER_TOOL_CACHE", self.file("tools"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let left = fs::read_dir(self.file("temp")).unwrap().count();
        assert_eq!(left, 0, "the script cleans up behind itself");
        Installed {
            code: output.status.code().unwrap_or(-1),
            said: text(&output.stdout) + &text(&output.stderr),
            outputs: fs::read_to_string(outputs).unwrap(),
        }
    }
}
