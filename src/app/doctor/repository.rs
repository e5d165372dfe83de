//! The facts of a repository at GitHub: its settings, and what its branches require. Changes nothing.

use crate::domain::doctor::Trouble;
use crate::domain::doctor::here::{FileSeen, line};
use crate::domain::doctor::repository::{BranchSeen, RepositoryFacts};
use crate::domain::ids::{BranchName, PromptPath, RepoName};
use crate::domain::settings::{self, SETTINGS_PATH};
use crate::github::{Github, GithubError};

/// Looks at a repository: its default branch, and another if one is named.
///
/// # Errors
/// When the app cannot see the repository, or nobody answers.
pub async fn gather(
    github: &Github,
    app: u64,
    events: Option<&[String]>,
    repo: &RepoName,
    branch: Option<&BranchName>,
) -> Result<RepositoryFacts, Trouble> {
    let lookout = github.lookout(repo).await?;
    let default = lookout.default_branch().await?;
    let settings = async {
        let path = PromptPath::parse(SETTINGS_PATH).ok();
        let Some(path) = path else { return Ok(FileSeen::Missing) };
        let Some(bytes) = lookout.file(&path, &default).await? else { return Ok(FileSeen::Missing) };
        Ok::<_, GithubError>(match settings::parse(&path, &bytes) {
            Ok(_) => FileSeen::Ready(()),
            Err(found) => FileSeen::Broken(found.iter().map(line).collect()),
        })
    };
    let settings = settings.await.map_err(Trouble::from);
    let mut branches = Vec::new();
    for branch in std::iter::once(&default).chain(branch.filter(|branch| **branch != default)) {
        let rules = lookout.rules(branch).await.map_err(Trouble::from);
        branches.push(BranchSeen { name: branch.to_string(), rules });
    }
    let hears_queue = events.map(|events| events.iter().any(|event| event == "merge_group"));
    Ok(RepositoryFacts { name: repo.to_string(), app, hears_queue, settings, branches })
}
