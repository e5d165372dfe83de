//! Walks over the commit graph: ancestors, ranges, merge bases. Knows objects only.

use std::collections::{BTreeSet, HashSet};

use super::objects::{Objects, Oid};

/// The commit and everything behind it.
pub(super) fn ancestors(objects: &Objects, from: Oid) -> HashSet<Oid> {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(objects.commit(id).into_iter().flat_map(|commit| commit.parents.iter().copied()));
        }
    }
    seen
}

/// The best common ancestor: none that is itself behind another common ancestor, the newest of those.
pub(super) fn merge_base(objects: &Objects, left: Oid, right: Oid) -> Option<Oid> {
    let behind_left = ancestors(objects, left);
    let mut common: BTreeSet<Oid> = ancestors(objects, right).intersection(&behind_left).copied().collect();
    for id in common.clone() {
        if common.contains(&id) {
            let mut behind = ancestors(objects, id);
            behind.remove(&id);
            common.retain(|other| !behind.contains(other));
        }
    }
    common.into_iter().max_by_key(|id| (objects.commit(*id).map_or(0, |commit| commit.committer.seconds), *id))
}

/// Commits behind `head` but not behind `base`, parents before children.
pub(super) fn range(objects: &Objects, base: Oid, head: Oid) -> Vec<Oid> {
    let mut seen = ancestors(objects, base);
    let mut sorted = Vec::new();
    let mut open = vec![(head, false)];
    while let Some((id, parents_done)) = open.pop() {
        if parents_done {
            sorted.push(id);
        } else if seen.insert(id) {
            open.push((id, true));
            let parents = objects.commit(id).map(|commit| commit.parents.clone()).unwrap_or_default();
            open.extend(parents.into_iter().rev().map(|parent| (parent, false)));
        }
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::objects::{Commit, Files, Signature};

    /// Builds commits from `name: parents` and answers with their ids.
    fn graph(objects: &mut Objects, edges: &[(&str, &[usize])]) -> Vec<Oid> {
        let tree = objects.put_tree(&Files::new());
        let mut ids: Vec<Oid> = Vec::new();
        for (seconds, (name, parents)) in edges.iter().enumerate() {
            let who = Signature { name: "a".into(), email: "a@b".into(), seconds: seconds as u64 };
            let parents = parents.iter().map(|at| ids[*at]).collect();
            let commit =
                Commit { tree, parents, author: who.clone(), committer: who, message: (*name).into(), signed: false };
            ids.push(objects.put_commit(commit));
        }
        ids
    }

    #[test]
    fn merge_base_is_the_fork_point() {
        let mut objects = Objects::default();
        let ids = graph(&mut objects, &[("root", &[]), ("fork", &[0]), ("left", &[1]), ("right", &[1])]);
        assert_eq!(merge_base(&objects, ids[2], ids[3]), Some(ids[1]));
        assert_eq!(merge_base(&objects, ids[1], ids[3]), Some(ids[1]));
    }

    #[test]
    fn an_update_merge_moves_the_merge_base() {
        let mut objects = Objects::default();
        let edges: &[(&str, &[usize])] =
            &[("root", &[]), ("main", &[0]), ("topic", &[0]), ("merge", &[2, 1]), ("main 2", &[1])];
        let ids = graph(&mut objects, edges);
        assert_eq!(merge_base(&objects, ids[4], ids[3]), Some(ids[1]));
        assert_eq!(range(&objects, ids[4], ids[3]), vec![ids[2], ids[3]]);
    }

    #[test]
    fn unrelated_histories_have_none() {
        let mut objects = Objects::default();
        let ids = graph(&mut objects, &[("one", &[]), ("two", &[])]);
        assert_eq!(merge_base(&objects, ids[0], ids[1]), None);
    }
}
