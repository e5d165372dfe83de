//! The inputs of one case. Kept small: a golden set may hold a hundred thousand of them. Knows no format.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

/// Values for a template's variables, by name and in the order of the names; a value is never rendered as a template.
///
/// A sorted slice, since a `BTreeMap` takes more than a kilobyte even for two variables.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Vars(Box<[(String, Value)]>);

impl Vars {
    /// No inputs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(name))
    }

    /// The value of a variable; of `a.b`, where no variable is called that, what stands under `b` in the variable `a`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        if let Ok(at) = self.position(name) {
            return self.0.get(at).map(|(_, value)| value);
        }
        let (first, rest) = name.split_once('.')?;
        let mut value = self.position(first).ok().and_then(|at| self.0.get(at)).map(|(_, value)| value)?;
        for part in rest.split('.') {
            value = match value {
                Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
                other => other.get(part)?,
            };
        }
        Some(value)
    }

    /// Whether there is a value.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Sets a value and gives back the one that was there.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        let mut entries = std::mem::take(&mut self.0).into_vec();
        let previous = match entries.binary_search_by(|(other, _)| other.cmp(&name)) {
            Ok(at) => Some(std::mem::replace(&mut entries[at].1, value)),
            Err(at) => {
                entries.insert(at, (name, value));
                None
            }
        };
        self.0 = entries.into();
        previous
    }

    /// Takes a value out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.position(name).ok()?;
        let mut entries = std::mem::take(&mut self.0).into_vec();
        let (_, value) = entries.remove(at);
        self.0 = entries.into();
        Some(value)
    }

    /// Names and values in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&String, &Value)> + Clone {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// The names in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &String> + Clone {
        self.0.iter().map(|(name, _)| name)
    }
}

/// Of a name that comes twice the last value stays.
impl<K: Into<String>> FromIterator<(K, Value)> for Vars {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let mut entries: Vec<(String, Value)> = entries.into_iter().map(|(name, value)| (name.into(), value)).collect();
        entries.reverse();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.dedup_by(|later, first| later.0 == first.0);
        Self(entries.into())
    }
}

impl<K: Into<String>, const N: usize> From<[(K, Value); N]> for Vars {
    fn from(entries: [(K, Value); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl From<BTreeMap<String, Value>> for Vars {
    fn from(entries: BTreeMap<String, Value>) -> Self {
        entries.into_iter().collect()
    }
}

impl std::ops::Index<&str> for Vars {
    type Output = Value;

    /// The value of a variable; null where there is none.
    fn index(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&Value::Null)
    }
}

impl<'v> IntoIterator for &'v Vars {
    type Item = (&'v String, &'v Value);
    type IntoIter = std::iter::Map<std::slice::Iter<'v, (String, Value)>, fn(&'v (String, Value)) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Vars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Vars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Vars;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of variables")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vars, A::Error> {
                let mut entries: Vec<(String, Value)> = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries.into_iter().collect())
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_set_found_replaced_and_taken_out() {
        let mut vars = Vars::from([("b", json!(2)), ("a", json!(1))]);
        assert_eq!(vars.insert("c", 3), None);
        assert_eq!(vars.insert("a", "x"), Some(json!(1)));
        assert_eq!(vars.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(vars.remove("b"), Some(json!(2)));
        assert_eq!((vars.get("b"), &vars["a"], vars.len()), (None, &json!("x"), 2));
    }

    #[test]
    fn a_dotted_name_reaches_into_a_value() {
        let vars = Vars::from([("user", json!({"name": "Ada", "langs": ["fr", "de"]})), ("a.b", json!(1))]);
        let check = |name: &str, expected: Option<Value>| assert_eq!(vars.get(name).cloned(), expected, "{name}");
        check("user.name", Some(json!("Ada")));
        check("user.langs.1", Some(json!("de")));
        check("a.b", Some(json!(1)));
        for name in ["user.none", "user.langs.9", "user.name.x", "user.", ".user", "a", "b.c"] {
            check(name, None);
        }
    }

    proptest! {
        #[test]
        fn it_is_a_map(entries in proptest::collection::vec(("[a-d]{1,2}", any::<i32>()), 0..12)) {
            let map: BTreeMap<String, Value> = entries.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
            let vars: Vars = entries.into_iter().map(|(k, v)| (k, json!(v))).collect();
            prop_assert_eq!(&vars, &Vars::from(map.clone()));
            prop_assert_eq!(serde_json::to_string(&vars).unwrap(), serde_json::to_string(&map).unwrap());
            let back: Vars = serde_json::from_value(json!(map)).unwrap();
            prop_assert_eq!(back, vars);
        }
    }
}
