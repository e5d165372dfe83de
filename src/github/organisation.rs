//! A file of the account's own `.github` repository, where "not there" and "not to be seen" are told apart. Knows no
//! settings.

use bytes::Bytes;

use super::answer::{Ask, part};
use super::auth::Scope;
use super::error::GithubError;
use super::repository::{Repository, decode};
use super::wire;
use crate::domain::ids::PromptPath;

/// What stands at a path of the `.github` repository's default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrganisationFile {
    /// The file's bytes.
    There(Bytes),
    /// The repository can be read, and has no such file.
    Absent,
    /// There is no such repository, or the app may not see it: GitHub does not say which.
    Unseen,
}

impl Repository {
    /// A file of the account's `.github` repository on its default branch. Only where `tells_apart` is set does it cost a
    /// request more to learn whether it is absent or unseen; else it is unseen.
    ///
    /// # Errors
    /// `TooLarge` beyond `limit` bytes, and whatever a call can meet, but for refusals: they are an answer.
    pub async fn organisation_file(
        &self,
        path: &PromptPath,
        limit: u64,
        tells_apart: bool,
    ) -> Result<OrganisationFile, GithubError> {
        let parts: Vec<String> = path.as_str().split('/').map(part).collect();
        let route = format!("/repos/{}/.github/contents/{}", part(self.name().owner()), parts.join("/"));
        let ask = Ask::get(route, format!("{path} of {}/.github", self.name().owner()));
        let own = Scope::Contents(".github".to_owned());
        match self.ask(&ask).await {
            Ok(answer) => return file(&answer.parse(&ask.what)?, &ask.what, limit),
            Err(GithubError::NotFound { .. } | GithubError::Forbidden { .. }) => {}
            Err(error) => return Err(error),
        }
        // Private to this repository's token, or not there: only a token for that repository can tell.
        match self.github().call(self.installation(), &own, &ask).await {
            Ok(answer) => file(&answer.parse(&ask.what)?, &ask.what, limit),
            Err(GithubError::NotFound { .. } | GithubError::Validation { .. }) if !tells_apart => {
                Ok(OrganisationFile::Unseen)
            }
            // A token may be older than the loss of what it was for, so the repository itself is asked for.
            Err(GithubError::NotFound { .. }) => self.absent_or_unseen(&own).await,
            Err(GithubError::Forbidden { .. }) => Ok(OrganisationFile::Unseen),
            // 422: the installation has no such repository to give a token for. It may be public all the same.
            Err(GithubError::Validation { .. }) => self.absent_or_unseen(&Scope::Gate(self.id())).await,
            Err(error) => Err(error),
        }
    }

    async fn absent_or_unseen(&self, scope: &Scope) -> Result<OrganisationFile, GithubError> {
        let owner = self.name().owner();
        let ask = Ask::get(format!("/repos/{}/.github", part(owner)), format!("{owner}/.github"));
        match self.github().call(self.installation(), scope, &ask).await {
            Ok(_) => Ok(OrganisationFile::Absent),
            Err(GithubError::NotFound { .. } | GithubError::Forbidden { .. }) => Ok(OrganisationFile::Unseen),
            Err(error) => Err(error),
        }
    }
}

fn file(content: &wire::Content, what: &str, limit: u64) -> Result<OrganisationFile, GithubError> {
    let too_large = |size| GithubError::TooLarge { what: what.to_owned(), size, limit };
    // GitHub leaves the content of large files out.
    if content.size > limit || content.encoding == "none" {
        return Err(too_large(content.size));
    }
    decode(content, what).map(OrganisationFile::There)
}
