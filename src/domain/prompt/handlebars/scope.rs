//! What a path can see while a template runs: the contexts around it, `@` data and block parameters. Renders nothing.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Map, Value};

/// A value, or none.
pub(super) type Seen<'v> = Option<Cow<'v, Value>>;

/// One context; `../` leads to the one around it.
#[derive(Debug)]
pub(super) struct Frame<'v> {
    pub(super) this: Seen<'v>,
    /// What an include adds to it.
    pub(super) added: Vec<(&'v str, Seen<'v>)>,
    pub(super) around: Option<Rc<Frame<'v>>>,
}

/// `@index` and the like; what is not here is looked for around it.
#[derive(Debug)]
pub(super) struct Data<'v> {
    pub(super) entries: Vec<(&'v str, Cow<'v, Value>)>,
    pub(super) around: Option<Rc<Data<'v>>>,
}

/// Block parameters, the innermost first.
#[derive(Debug)]
pub(super) struct Names<'v> {
    pub(super) name: &'v str,
    pub(super) value: Seen<'v>,
    pub(super) around: Option<Rc<Names<'v>>>,
}

#[derive(Debug, Clone)]
pub(super) struct Scope<'v> {
    pub(super) frame: Rc<Frame<'v>>,
    pub(super) data: Rc<Data<'v>>,
    pub(super) names: Option<Rc<Names<'v>>>,
}

impl<'v> Scope<'v> {
    /// The outermost scope: the input, and `@` data that the caller gives.
    pub(super) fn root(input: &'v Value, data: &'v Map<String, Value>) -> Self {
        let frame = Frame { this: Some(Cow::Borrowed(input)), added: Vec::new(), around: None };
        let given = data.iter().map(|(name, value)| (name.as_str(), Cow::Borrowed(value)));
        let root = std::iter::once(("root", Cow::Borrowed(input)));
        let data = Data { entries: given.chain(root).collect(), around: None };
        Self { frame: Rc::new(frame), data: Rc::new(data), names: None }
    }

    /// The scope inside a block that turns to a value.
    pub(super) fn inside(&self, this: Seen<'v>) -> Self {
        let frame = Frame { this, added: Vec::new(), around: Some(Rc::clone(&self.frame)) };
        Self { frame: Rc::new(frame), ..self.clone() }
    }

    pub(super) fn with_data(mut self, entries: Vec<(&'v str, Cow<'v, Value>)>) -> Self {
        self.data = Rc::new(Data { entries, around: Some(self.data) });
        self
    }

    pub(super) fn with_name(mut self, name: &'v str, value: Seen<'v>) -> Self {
        self.names = Some(Rc::new(Names { name, value, around: self.names }));
        self
    }

    /// The value of a block parameter; `None` if there is none of that name.
    pub(super) fn name(&self, name: &str) -> Option<&Seen<'v>> {
        let mut next = self.names.as_ref();
        while let Some(names) = next {
            if names.name == name {
                return Some(&names.value);
            }
            next = names.around.as_ref();
        }
        None
    }

    pub(super) fn frame_above(&self, up: usize) -> Option<&Frame<'v>> {
        let mut frame = &self.frame;
        for _ in 0..up {
            frame = frame.around.as_ref()?;
        }
        Some(frame)
    }

    pub(super) fn data_above(&self, up: usize, name: &str) -> Seen<'v> {
        let mut data = &self.data;
        for _ in 0..up {
            data = data.around.as_ref()?;
        }
        loop {
            if let Some((_, value)) = data.entries.iter().find(|(key, _)| *key == name) {
                return Some(value.clone());
            }
            data = data.around.as_ref()?;
        }
    }
}

impl<'v> Frame<'v> {
    /// A property of this context.
    pub(super) fn get(&self, name: &str) -> Seen<'v> {
        match self.added.iter().rev().find(|(key, _)| *key == name) {
            Some((_, value)) => value.clone(),
            None => property(self.this.clone(), name),
        }
    }

    /// The context itself, together with what an include added.
    pub(super) fn whole(&self) -> Seen<'v> {
        if self.added.is_empty() {
            return self.this.clone();
        }
        let mut entries = match self.this.as_deref() {
            Some(Value::Object(entries)) => entries.clone(),
            _ => Map::new(),
        };
        for (name, value) in &self.added {
            if let Some(value) = value {
                entries.insert((*name).to_owned(), value.clone().into_owned());
            }
        }
        Some(Cow::Owned(Value::Object(entries)))
    }
}

/// A property of a value: a key of a mapping, an index, or `length`.
pub(super) fn property<'v>(value: Seen<'v>, name: &str) -> Seen<'v> {
    let length = match value.as_deref()? {
        Value::Array(items) if name == "length" => Some(items.len()),
        Value::String(text) if name == "length" => Some(text.encode_utf16().count()),
        _ => None,
    };
    if let Some(length) = length {
        return Some(Cow::Owned(length.into()));
    }
    fn child<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
        match value {
            Value::Object(entries) => entries.get(name),
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    }
    match value? {
        Cow::Borrowed(value) => child(value, name).map(Cow::Borrowed),
        Cow::Owned(value) => child(&value, name).cloned().map(Cow::Owned),
    }
}
