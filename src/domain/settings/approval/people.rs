//! Users, teams, roles and the other sources of approvals, as settings write them. Knows no rule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::diagnostic::Location;
use crate::domain::ids::TeamSlug;
use crate::domain::node::{Kind, Node};
use crate::domain::policy::{Level, Place, Principal, Source};
use crate::domain::reader::{Fields, Reader, suggestion};

/// Roles by name, each with its members.
type Roles = BTreeMap<String, Arc<[Principal]>>;

const OWNER: &str = "owner";
const CODE_OWNERS: &str = "codeowners";
/// What stands before a level of permission.
const PERMISSION: &str = "permission:";
const LEVELS: [(&str, Level); 3] = [("write", Level::Write), ("maintain", Level::Maintain), ("admin", Level::Admin)];
/// How deep roles may name roles.
const MAX_DEPTH: usize = 8;
/// Most members of a role, those of roles it names included.
const MAX_MEMBERS: usize = 500;
/// Most roles of a file.
const MAX_ROLES: usize = 200;

/// The roles, and where each team is named.
#[derive(Debug, Default)]
pub(in crate::domain::settings) struct People {
    /// Each role with its members, those of roles it names included.
    pub roles: Roles,
    places: BTreeMap<TeamSlug, Place>,
    /// How many roles a role leads through, itself included.
    heights: BTreeMap<String, usize>,
}

/// A member of a role as it is written.
enum Member {
    Principal(Principal),
    Role(String),
}

/// The roles as they are written: each with its members and their places.
type Written = BTreeMap<String, Vec<(Member, Location)>>;

impl People {
    /// Reads `roles`: names of our own for groups of users, teams and other roles.
    pub fn read(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Self {
        let mut people = Self::default();
        let Some(entries) = fields.get("roles").and_then(|node| reader.map(node, "roles")) else { return people };
        let mut written = Written::new();
        for (place, (key, node)) in entries.iter().enumerate() {
            if place == MAX_ROLES {
                reader.error("too-many", key.at, format!("there are more than {MAX_ROLES} roles"), "remove some");
                break;
            }
            check_name(reader, &key.name, key.at);
            let members = reader.list(node, &key.name).unwrap_or_default();
            if members.is_empty() && matches!(node.kind, Kind::List(_)) {
                let message = format!("role `{}` has no members", key.name);
                reader.error("empty-list", node.at, message, "list \"@user\", \"@org/team\" or other roles");
            }
            let members = members.iter().take(MAX_MEMBERS + 1);
            let members = members.filter_map(|node| Some((people.read_member(reader, node, &key.name)?, node.at)));
            written.insert(key.name.to_string(), members.collect());
        }
        for name in written.keys() {
            people.resolve(reader, &written, name, &mut Vec::new());
        }
        people
    }

    /// The same, where roles that are known from elsewhere may be named too; one of the same name here takes their place.
    pub fn read_beside(reader: &mut Reader<'_>, fields: &Fields<'_>, known: &Roles) -> Self {
        let mut people = Self::read(reader, fields);
        for (name, members) in known {
            people.roles.entry(name.clone()).or_insert_with(|| members.clone());
        }
        people
    }

    fn read_member(&mut self, reader: &mut Reader<'_>, node: &Node, role: &str) -> Option<Member> {
        let text = reader.words(node, role)?;
        if !text.starts_with('@') && !is_reserved(&text) {
            return Some(Member::Role(text));
        }
        let principal = self.principal(reader, &text, node.at);
        if principal.is_none() {
            let message = format!("`{text}` in `{role}` is neither a user nor a team nor a role");
            let help = "write a user as \"@user\" and a team as \"@org/team\", in quotes";
            reader.error("invalid-principal", node.at, message, help);
        }
        principal.map(Member::Principal)
    }

    /// Parses a user or team, and remembers where the team stands.
    fn principal(&mut self, reader: &Reader<'_>, text: &str, at: Location) -> Option<Principal> {
        let principal = Principal::parse(text)?;
        if let Principal::Team(team) = &principal
            && !self.places.contains_key(team)
        {
            self.places.insert(team.clone(), Place { file: reader.source.path.clone(), at });
        }
        Some(principal)
    }

    /// The members of a role, those of roles it names included. `above` are the roles that lead here.
    fn resolve<'w>(
        &mut self,
        reader: &mut Reader<'_>,
        written: &'w Written,
        name: &'w str,
        above: &mut Vec<&'w str>,
    ) -> Arc<[Principal]> {
        if let Some(members) = self.roles.get(name) {
            return members.clone();
        }
        let mut found = BTreeSet::new();
        let mut members: Vec<Principal> = Vec::new();
        let mut height = 1;
        above.push(name);
        for (member, at) in written.get(name).into_iter().flatten() {
            let more = match member {
                Member::Principal(principal) => Arc::from([principal.clone()]),
                Member::Role(role) => match written.get_key_value(role) {
                    None => {
                        let message = format!("`{role}` in `{name}` is neither a user nor a team nor a role");
                        let known: Vec<&str> = written.keys().map(String::as_str).collect();
                        let help = format!("{} Users and teams start with @", suggestion(role, &known));
                        reader.error("invalid-principal", *at, message, help);
                        continue;
                    }
                    Some((role, _)) if above.contains(&role.as_str()) => {
                        let message = format!("role `{role}` names itself, by way of `{}`", above.join("`, `"));
                        reader.error("cyclic-role", *at, message, "remove one of these roles from the other");
                        continue;
                    }
                    Some(_) if above.len() >= MAX_DEPTH => {
                        too_deep(reader, *at);
                        continue;
                    }
                    Some((role, _)) => {
                        let more = self.resolve(reader, written, role, above);
                        let below = self.heights.get(role).copied().unwrap_or_default();
                        if below >= MAX_DEPTH {
                            too_deep(reader, *at);
                            continue;
                        }
                        height = height.max(below + 1);
                        more
                    }
                },
            };
            members.extend(more.iter().filter(|principal| found.insert((*principal).clone())).cloned());
            if members.len() > MAX_MEMBERS {
                let message = format!("role `{name}` has more than {MAX_MEMBERS} members");
                reader.error("too-many", *at, message, "name a team that holds them");
                break;
            }
        }
        above.pop();
        self.heights.insert(name.to_owned(), height);
        let members: Arc<[Principal]> = members.into();
        self.roles.insert(name.to_owned(), members.clone());
        members
    }

    /// Reads a list of sources of approvals.
    pub fn read_sources(&mut self, reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<Source>> {
        let items = reader.list(node, what)?;
        if let Some(item) = items.get(MAX_MEMBERS) {
            reader.error("too-many", item.at, format!("`{what}` has more than {MAX_MEMBERS} entries"), "use a role");
        }
        let read: Vec<_> = items.iter().take(MAX_MEMBERS).map(|item| self.read_source(reader, item, what)).collect();
        read.into_iter().collect()
    }

    fn read_source(&mut self, reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Source> {
        let text = reader.words(node, what)?;
        if text.starts_with('@') {
            let principal = self.principal(reader, &text, node.at);
            if principal.is_none() {
                let message = format!("`{text}` in `{what}` is neither a user nor a team");
                reader.error(
                    "invalid-principal",
                    node.at,
                    message,
                    "write it as \"@user\" or \"@org/team\", in quotes",
                );
            }
            return principal.map(Source::Principal);
        }
        if let Some(level) = text.strip_prefix(PERMISSION) {
            return read_level(reader, node.at, level).map(Source::Permission);
        }
        match text.as_str() {
            OWNER => return Some(Source::Owner),
            CODE_OWNERS => return Some(Source::CodeOwners),
            _ => {}
        }
        if let Some(members) = self.roles.get(&text) {
            return Some(Source::Role { name: text, members: members.clone() });
        }
        let known: Vec<&str> = self.roles.keys().map(String::as_str).chain([OWNER, CODE_OWNERS]).collect();
        let help = format!("{} Users and teams start with @", suggestion(&text, &known));
        reader.error("unknown-role", node.at, format!("unknown role `{text}`"), help);
        None
    }

    /// Where each team is named first.
    pub fn places(&mut self) -> BTreeMap<TeamSlug, Place> {
        std::mem::take(&mut self.places)
    }
}

fn too_deep(reader: &mut Reader<'_>, at: Location) {
    let message = format!("roles name roles more than {MAX_DEPTH} deep here");
    reader.error("too-deep", at, message, "name users and teams instead of roles");
}

fn is_reserved(name: &str) -> bool {
    name == OWNER || name == CODE_OWNERS || name.starts_with('@') || name.starts_with(PERMISSION)
}

fn check_name(reader: &mut Reader<'_>, name: &str, at: Location) {
    if is_reserved(name) {
        let help = "choose another: `owner`, `codeowners`, `permission:…` and names with @ have a meaning already";
        reader.error("invalid-role", at, format!("`{name}` cannot be the name of a role"), help);
    }
}

fn read_level(reader: &mut Reader<'_>, at: Location, text: &str) -> Option<Level> {
    let found = LEVELS.iter().find(|(word, _)| *word == text).map(|(_, level)| *level);
    if found.is_none() {
        let help = suggestion(text, &LEVELS.map(|(word, _)| word));
        reader.error("unknown-permission", at, format!("`{PERMISSION}` has no `{text}`"), help);
    }
    found
}
