//! What a commit changes and who made it, in a builder.

use crate::sim::objects::{Entry, Files, Mode, Objects};

/// The address GitHub itself commits under.
pub(super) const WEB_FLOW: &str = "noreply@github.com";

/// Who wrote or committed.
#[derive(Debug, Clone)]
pub(super) enum Who {
    /// A user of GitHub, by login.
    User(String),
    /// A name and an address that belong to nobody there.
    Stranger(String, String),
}

#[derive(Debug, Clone)]
enum Step {
    Put(String, Mode, Vec<u8>),
    Link(String),
    Remove(String),
    Move(String, String),
}

/// A commit to be: its files, author and message.
#[derive(Debug, Clone)]
pub struct Change {
    pub(super) author: Who,
    pub(super) committer: Option<Who>,
    pub(super) signed: bool,
    pub(super) message: String,
    steps: Vec<Step>,
}

impl Change {
    fn new(author: Who) -> Self {
        Self { author, committer: None, signed: false, message: "Change files\n".to_owned(), steps: Vec::new() }
    }

    /// Written by a user of this login.
    #[must_use]
    pub fn by(login: &str) -> Self {
        Self::new(Who::User(login.to_owned()))
    }

    /// Written under an address that belongs to no user.
    #[must_use]
    pub fn by_stranger(name: &str, email: &str) -> Self {
        Self::new(Who::Stranger(name.to_owned(), email.to_owned()))
    }

    /// Committed by another user than the author.
    #[must_use]
    pub fn committed_by(self, login: &str) -> Self {
        Self { committer: Some(Who::User(login.to_owned())), signed: false, ..self }
    }

    /// Committed under this name and address, whoever's it is: nobody checks what a commit says of its committer.
    #[must_use]
    pub fn committed_as(self, name: &str, email: &str) -> Self {
        Self { committer: Some(Who::Stranger(name.to_owned(), email.to_owned())), signed: false, ..self }
    }

    /// Made on GitHub's own pages, whose commits are committed by `web-flow` and signed by GitHub.
    #[must_use]
    pub fn in_browser(self) -> Self {
        let github = Who::Stranger("GitHub".to_owned(), WEB_FLOW.to_owned());
        Self { committer: Some(github), signed: true, ..self }
    }

    /// The whole message, trailers included.
    #[must_use]
    pub fn message(self, message: &str) -> Self {
        Self { message: message.to_owned(), ..self }
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Writes a file.
    #[must_use]
    pub fn write(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.step(Step::Put(path.to_owned(), Mode::File, content.as_ref().to_vec()))
    }

    /// Writes a file that may be executed.
    #[must_use]
    pub fn executable(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.step(Step::Put(path.to_owned(), Mode::Executable, content.as_ref().to_vec()))
    }

    /// Makes a symbolic link.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.step(Step::Put(path.to_owned(), Mode::Symlink, target.as_bytes().to_vec()))
    }

    /// Adds a submodule.
    #[must_use]
    pub fn submodule(self, path: &str) -> Self {
        self.step(Step::Link(path.to_owned()))
    }

    /// Removes a file.
    #[must_use]
    pub fn remove(self, path: &str) -> Self {
        self.step(Step::Remove(path.to_owned()))
    }

    /// Moves a file.
    #[must_use]
    pub fn rename(self, from: &str, to: &str) -> Self {
        self.step(Step::Move(from.to_owned(), to.to_owned()))
    }

    /// The files after the change.
    pub(super) fn apply(&self, objects: &mut Objects, mut files: Files) -> Files {
        for step in &self.steps {
            match step {
                Step::Put(path, mode, bytes) => {
                    files.insert(path.clone(), Entry { mode: *mode, id: objects.put_blob(bytes) });
                }
                Step::Link(path) => {
                    let entry = Entry { mode: Mode::Submodule, id: Objects::foreign_commit(path) };
                    files.insert(path.clone(), entry);
                }
                Step::Remove(path) => drop(files.remove(path)),
                Step::Move(from, to) => {
                    if let Some(entry) = files.remove(from) {
                        files.insert(to.clone(), entry);
                    }
                }
            }
        }
        files
    }
}
