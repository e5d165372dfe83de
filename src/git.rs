//! Revisions and the working tree of a repository on disk, through the `git` binary. Knows nothing of GitHub or prompts.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::domain::ids::{BlobSha, CommitSha, PromptPath};
use crate::domain::reader::nearest;

/// Most branches and tags that a mistyped one is compared with.
const MAX_NAMES: usize = 10_000;

/// What `git` says of its version.
///
/// # Errors
/// When it cannot be run.
pub async fn version() -> Result<String, GitError> {
    let output = run(Path::new("."), &["--version"]).await?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().chars().take(100).collect())
}

/// What went wrong with the repository on disk.
#[derive(Debug, Error)]
pub enum GitError {
    /// No repository at or above the folder.
    #[error("`{}` is not inside a Git repository; run this in one, or leave out --base", .0.display())]
    NoRepository(PathBuf),
    /// The repository is another user's, and Git reads none of those unless told to.
    #[error(
        "git does not read the repository at `{path}`, since another user owns it; if you trust it, run `git config --global \
         --add safe.directory '{path}'`", path = .0.display()
    )]
    Distrusted(PathBuf),
    /// The revision means no commit here.
    #[error("revision `{0}` not found; {1}")]
    UnknownRevision(String, String),
    /// The revision means no commit here, and part of the history is missing.
    #[error(
        "revision `{0}` not found in this shallow clone; fetch the history with `git fetch --unshallow`, or set `fetch-depth: \
         0` at actions/checkout{1}"
    )]
    MissingHistory(String, String),
    /// There is no commit at all.
    #[error("revision `{0}` not found: this repository has no commits yet; commit what you want to compare with")]
    NoCommits(String),
    /// The `git` binary could not be run.
    #[error("cannot run git; install it and put it on PATH")]
    NotRunnable(#[source] io::Error),
    /// `git` said no.
    #[error("git {command} failed: {message}")]
    Failed {
        /// The subcommand.
        command: String,
        /// What it wrote on its standard error.
        message: String,
    },
}

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Its path from the repository's root.
    pub path: PromptPath,
    /// Git's mode: 100644, 100755, 120000 (symlink), 160000 (submodule).
    pub mode: u32,
    /// Its content's id.
    pub blob: BlobSha,
}

/// A repository on disk.
#[derive(Debug, Clone)]
pub struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The repository that holds `folder`.
    ///
    /// # Errors
    /// When there is none, or `git` cannot be run.
    pub async fn discover(folder: &Path) -> Result<Self, GitError> {
        let output = run(folder, &["rev-parse", "--show-toplevel"]).await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let is_distrusted = said.contains("dubious ownership") || said.contains("safe.directory");
            let error = if is_distrusted { GitError::Distrusted } else { GitError::NoRepository };
            return Err(error(folder.to_owned()));
        }
        let root = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        Ok(Self { root: root.into() })
    }

    /// The top folder of the working tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The commit a revision means.
    ///
    /// # Errors
    /// When it means none.
    pub async fn resolve(&self, revision: &str) -> Result<CommitSha, GitError> {
        let commit = format!("{revision}^{{commit}}");
        let output = run(&self.root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).await?;
        if output.status.success()
            && let Ok(commit) = CommitSha::parse(String::from_utf8_lossy(&output.stdout).trim())
        {
            return Ok(commit);
        }
        Err(self.unknown(revision).await?)
    }

    /// Why a revision means no commit, and what to do.
    async fn unknown(&self, revision: &str) -> Result<GitError, GitError> {
        if !self.has_commits().await? {
            return Ok(GitError::NoCommits(revision.to_owned()));
        }
        let near = self.near(revision).await?;
        Ok(if self.is_shallow().await? {
            let near = near.map(|near| format!("; or did you mean `{near}`?")).unwrap_or_default();
            GitError::MissingHistory(revision.to_owned(), near)
        } else {
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "check its name, or fetch it first with `git fetch`".to_owned(),
            };
            GitError::UnknownRevision(revision.to_owned(), help)
        })
    }

    async fn has_commits(&self) -> Result<bool, GitError> {
        // With no commit on any branch there is no HEAD either, unless a branch without commits was just begun.
        Ok(!self.checked(&["rev-list", "--all", "--max-count=1"]).await?.is_empty())
    }

    /// Whether part of the history is missing.
    ///
    /// # Errors
    /// When `git` fails.
    pub async fn is_shallow(&self) -> Result<bool, GitError> {
        Ok(self.checked(&["rev-parse", "--is-shallow-repository"]).await?.trim_ascii() == b"true")
    }

    /// Whether a commit is checked out and no branch.
    ///
    /// # Errors
    /// When `git` cannot be run.
    pub async fn is_detached(&self) -> Result<bool, GitError> {
        Ok(!run(&self.root, &["symbolic-ref", "--quiet", "HEAD"]).await?.status.success())
    }

    /// A branch or tag that may have been meant: the same name at a remote, or the most alike.
    async fn near(&self, revision: &str) -> Result<Option<String>, GitError> {
        let count = format!("--count={MAX_NAMES}");
        let names = ["for-each-ref", &count, "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags"];
        let listing = self.checked(&names).await?;
        let listing = String::from_utf8_lossy(&listing);
        let names: Vec<&str> = listing.lines().filter(|name| !name.ends_with("/HEAD")).collect();
        let at_remote = |name: &&&str| name.split_once('/').is_some_and(|(_, branch)| branch == revision);
        Ok(names.iter().find(at_remote).copied().or_else(|| nearest(revision, &names)).map(str::to_owned))
    }

    /// Files that were renamed between `base` and `head` (the working tree if absent): old path by new path.
    ///
    /// # Errors
    /// When `git` fails.
    pub async fn renames(
        &self,
        base: &CommitSha,
        head: Option<&CommitSha>,
    ) -> Result<HashMap<PromptPath, PromptPath>, GitError> {
        let mut arguments = vec!["diff", "--no-ext-diff", "--find-renames", "--diff-filter=R", "-z", "--name-status"];
        arguments.push(base.as_str());
        arguments.extend(head.map(CommitSha::as_str));
        arguments.push("--");
        Ok(renamed(&self.checked(&arguments).await?))
    }

    /// Paths of the working tree that differ from where it left `base`, new files included, by both names of a rename. Where
    /// history is too short to tell that place, they differ from `base` itself.
    ///
    /// # Errors
    /// When `git` fails.
    pub async fn changed(&self, base: &CommitSha) -> Result<BTreeSet<PromptPath>, GitError> {
        // Where two branches were merged into each other there are several places, and each hides what the others show.
        let forks = run(&self.root, &["merge-base", "--all", base.as_str(), "HEAD"]).await?;
        let forks = String::from_utf8_lossy(&forks.stdout);
        let mut forks: Vec<CommitSha> = forks.lines().filter_map(|fork| CommitSha::parse(fork).ok()).collect();
        if forks.is_empty() {
            forks.push(base.clone());
        }
        let mut listings =
            vec![self.checked(&["ls-files", "-z", "--others", "--exclude-standard", "--full-name"]).await?];
        for fork in &forks {
            let differ = ["diff", "--no-ext-diff", "--no-renames", "--name-only", "-z", fork.as_str(), "--"];
            listings.push(self.checked(&differ).await?);
        }
        Ok(listings.iter().flat_map(|listing| paths(listing)).collect())
    }

    /// The parents that the checked out commit names, also where they are not there themselves.
    ///
    /// # Errors
    /// When `git` fails.
    pub async fn parents(&self) -> Result<Vec<CommitSha>, GitError> {
        let commit = self.checked(&["cat-file", "commit", "HEAD"]).await?;
        let commit = String::from_utf8_lossy(&commit);
        let head = commit.lines().take_while(|line| !line.is_empty());
        Ok(head.filter_map(|line| CommitSha::parse(line.strip_prefix("parent ")?).ok()).collect())
    }

    /// Whether the checked out commit is this one, or brings it.
    ///
    /// # Errors
    /// When `git` fails.
    pub async fn brings(&self, commit: &CommitSha) -> Result<bool, GitError> {
        if self.resolve("HEAD").await? == *commit || self.parents().await?.contains(commit) {
            return Ok(true);
        }
        let ancestor = ["merge-base", "--is-ancestor", commit.as_str(), "HEAD"];
        Ok(run(&self.root, &ancestor).await?.status.success())
    }

    /// The commit a name means, a branch before a tag of the same name: whoever may push a tag must not move a branch.
    ///
    /// # Errors
    /// When it means none.
    pub async fn resolve_branch(&self, name: &str) -> Result<CommitSha, GitError> {
        for place in ["refs/remotes/origin/", "refs/remotes/", "refs/heads/"] {
            if let Ok(commit) = self.resolve(&format!("{place}{name}")).await {
                return Ok(commit);
            }
        }
        self.resolve(name).await
    }

    /// Every file of a commit's tree. Paths that are not valid UTF-8 are left out: no prompt can be named by them.
    ///
    /// # Errors
    /// When `git` fails.
    pub async fn tree(&self, commit: &CommitSha) -> Result<Vec<TreeFile>, GitError> {
        let listing = self.checked(&["ls-tree", "-r", "-z", "--full-tree", commit.as_str()]).await?;
        Ok(listing.split(|byte| *byte == 0).filter_map(tree_file).collect())
    }

    /// Paths of the working tree: tracked and new files, without the ignored.
    ///
    /// # Errors
    /// When `git` fails.
    pub async fn working_tree(&self) -> Result<Vec<PromptPath>, GitError> {
        let listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--full-name"];
        Ok(paths(&self.checked(&listed).await?).collect())
    }

    /// Paths of the working tree that are tracked.
    ///
    /// # Errors
    /// When `git` fails.
    pub async fn tracked(&self) -> Result<Vec<PromptPath>, GitError> {
        Ok(paths(&self.checked(&["ls-files", "-z", "--cached", "--deduplicate", "--full-name"]).await?).collect())
    }

    /// The bytes of several blobs through one `git cat-file --batch`.
    ///
    /// # Errors
    /// When `git` fails or a blob is missing.
    pub async fn blobs(&self, ids: &[BlobSha]) -> Result<HashMap<BlobSha, Vec<u8>>, GitError> {
        let broken = |message: String| GitError::Failed { command: "cat-file".into(), message };
        let mut child = command(&self.root, &["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(GitError::NotRunnable)?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(broken("no pipes".into()));
        };
        let mut output = BufReader::new(output);
        let mut blobs = HashMap::with_capacity(ids.len());
        for id in ids {
            let read = async {
                input.write_all(format!("{id}\n").as_bytes()).await?;
                input.flush().await?;
                let mut header = String::new();
                output.read_line(&mut header).await?;
                let Some(size) = header.trim_end().rsplit(' ').next().and_then(|size| size.parse::<usize>().ok())
                else {
                    return Ok(None);
                };
                let mut bytes = vec![0; size + 1];
                output.read_exact(&mut bytes).await?;
                bytes.pop();
                Ok::<_, io::Error>(Some(bytes))
            };
            let bytes = read.await.map_err(|error| broken(error.to_string()))?;
            blobs.insert(id.clone(), bytes.ok_or_else(|| broken(format!("blob {id} is missing")))?);
        }
        drop(input);
        child.wait().await.map_err(GitError::NotRunnable)?;
        Ok(blobs)
    }

    async fn checked(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        let output = run(&self.root, arguments).await?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(GitError::Failed {
            command: arguments.first().copied().unwrap_or_default().to_owned(),
            message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    // A repository's own configuration must not start programs of its choice while it is only read.
    command.arg("-c").arg("core.fsmonitor=false").args(arguments).current_dir(folder).kill_on_drop(true);
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    command
}

async fn run(folder: &Path, arguments: &[&str]) -> Result<Output, GitError> {
    command(folder, arguments).stdin(Stdio::null()).output().await.map_err(GitError::NotRunnable)
}

/// Reads `diff -z --name-status` of renames: `R<similarity> NUL <old> NUL <new> NUL`, again and again.
fn renamed(listing: &[u8]) -> HashMap<PromptPath, PromptPath> {
    let fields: Vec<&[u8]> = listing.split(|byte| *byte == 0).collect();
    let path = |field: &[u8]| PromptPath::parse(std::str::from_utf8(field).ok()?).ok();
    let (entries, _) = fields.as_chunks::<3>();
    entries.iter().filter_map(|[_, old, new]| Some((path(new)?, path(old)?))).collect()
}

/// The paths of a listing that ends each with a zero byte.
fn paths(listing: &[u8]) -> impl Iterator<Item = PromptPath> {
    let paths = listing.split(|byte| *byte == 0);
    paths.filter_map(|path| PromptPath::parse(std::str::from_utf8(path).ok()?).ok())
}

/// Reads one entry of `ls-tree -z`: `<mode> SP <type> SP <id> TAB <path>`.
fn tree_file(entry: &[u8]) -> Option<TreeFile> {
    let entry = std::str::from_utf8(entry).ok()?;
    let (facts, path) = entry.split_once('\t')?;
    let mut facts = facts.split(' ');
    let mode = u32::from_str_radix(facts.next()?, 8).ok()?;
    let blob = BlobSha::parse(facts.nth(1)?).ok()?;
    Some(TreeFile { path: PromptPath::parse(path).ok()?, mode, blob })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renames_are_read_by_their_new_path() {
        let found = renamed(b"R100\0a.prompt.yml\0b.prompt.yml\0R087\0c d.prompt.yml\0e.prompt.yml\0");
        let found = |new: &str| found.get(&PromptPath::parse(new).unwrap()).map(PromptPath::as_str);
        assert_eq!((found("b.prompt.yml"), found("e.prompt.yml")), (Some("a.prompt.yml"), Some("c d.prompt.yml")));
        assert!(renamed(b"").is_empty());
    }

    #[test]
    fn an_entry_of_a_tree_listing_is_read() {
        let line = b"120000 blob 257cc5642cb1a054f08cc83f2d943e56fd3ebe99\tprompts/link.prompt.yml";
        let file = tree_file(line).unwrap();
        assert_eq!((file.mode, file.path.as_str()), (0o120_000, "prompts/link.prompt.yml"));
        assert_eq!(tree_file(b""), None);
    }
}
