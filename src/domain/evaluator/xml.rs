//! XML in answers: the whole of it, or elements somewhere in it. Knows no case; resolves no entity and reads no DTD.

use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};
use quick_xml::reader::NsReader;

mod elements;

use super::text::quote;
use elements::elements;

/// Most attributes of one element: each is compared with all before it.
const MOST_ATTRIBUTES: usize = 500;

/// Elements that must be there: paths of names from the root.
#[derive(Debug)]
pub(super) struct Required(Vec<(String, Vec<String>)>);

impl Required {
    /// Splits each path at its dots.
    pub fn new(paths: &[String]) -> Self {
        let names = |path: &String| path.split('.').map(str::to_owned).collect();
        Self(paths.iter().map(|path| (path.clone(), names(path))).collect())
    }
}

/// Whether the whole text is one XML document with the required elements.
pub(super) fn whole(text: &str, required: &Required) -> Result<(), String> {
    document(text.trim(), required)
}

/// Whether an element somewhere in the text is well-formed and has the required elements, itself being their root.
pub(super) fn part(text: &str, required: &Required) -> Result<(), String> {
    let mut reason = "the answer holds no XML".to_owned();
    for (start, end) in elements(text) {
        match document(&text[start..end], required) {
            Ok(()) => return Ok(()),
            Err(found) => reason = found,
        }
    }
    Err(reason)
}

/// How far each required path is followed at the place the reader is at.
struct Progress<'r> {
    paths: &'r [(String, Vec<String>)],
    matched: Vec<usize>,
    found: Vec<bool>,
    depth: usize,
}

impl Progress<'_> {
    fn open(&mut self, name: &str) {
        for (index, (_, path)) in self.paths.iter().enumerate() {
            if self.matched[index] == self.depth && path.get(self.depth).is_some_and(|wanted| wanted == name) {
                self.matched[index] += 1;
                self.found[index] |= self.matched[index] == path.len();
            }
        }
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        for matched in &mut self.matched {
            *matched = (*matched).min(self.depth);
        }
    }
}

fn document(text: &str, required: &Required) -> Result<(), String> {
    if let Some(c) = text.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{7f}'..='\u{9f}')) {
        return Err(not_xml(&format!("it has the control character U+{:04X}", u32::from(c))));
    }
    let paths = &required.0;
    let mut progress = Progress { paths, matched: vec![0; paths.len()], found: vec![false; paths.len()], depth: 0 };
    let mut reader = NsReader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut roots = 0;
    for index in 0_usize.. {
        let (namespace, event) = reader.read_resolved_event().map_err(|error| not_xml(&error.to_string()))?;
        match event {
            Event::Start(ref start) | Event::Empty(ref start) => {
                roots += usize::from(progress.depth == 0);
                if let ResolveResult::Unknown(prefix) = namespace {
                    return Err(not_xml(&format!("the prefix {} is not declared", quote(&prefix))));
                }
                progress.open(&element(start)?);
                if matches!(event, Event::Empty(_)) {
                    progress.close();
                }
            }
            Event::End(_) => progress.close(),
            Event::Text(ref text) if progress.depth == 0 && !text.trim().is_empty() => {
                return Err(not_xml("there is text outside its root element"));
            }
            Event::CData(_) | Event::GeneralRef(_) if progress.depth == 0 => {
                return Err(not_xml("there is text outside its root element"));
            }
            Event::GeneralRef(ref name) => {
                let is_character = matches!(name.resolve_char_ref(), Ok(Some(_)));
                if !is_character && !matches!(&**name, "lt" | "gt" | "amp" | "apos" | "quot") {
                    return Err(not_xml(&format!("the entity {} is not declared", quote(name))));
                }
            }
            Event::Decl(_) if index > 0 => return Err(not_xml("a declaration stands inside it")),
            Event::DocType(_) if roots > 0 => return Err(not_xml("a DOCTYPE stands inside it")),
            Event::DocType(ref doctype) if doctype.contains('[') => {
                return Err(not_xml("its DOCTYPE declares things itself, which is not read"));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if roots != 1 || progress.depth != 0 {
        return Err(not_xml(match roots {
            0 => "it has no element",
            1 => "an element is not closed",
            _ => "it has more than one root element",
        }));
    }
    match progress.found.iter().position(|found| !found) {
        Some(missing) => Err(format!("the element {} is missing", quote(&paths[missing].0))),
        None => Ok(()),
    }
}

fn not_xml(why: &str) -> String {
    format!("not well-formed XML: {why}")
}

/// The name of an element, whose attributes are checked.
fn element(start: &BytesStart<'_>) -> Result<String, String> {
    attributes(start.attributes())?;
    name(start.name())
}

fn attributes(attributes: Attributes<'_>) -> Result<(), String> {
    for (index, attribute) in attributes.enumerate() {
        let attribute = attribute.map_err(|error| not_xml(&error.to_string()))?;
        name(attribute.key)?;
        let value = &*attribute.value;
        if value.contains('<') || quick_xml::escape::unescape(value).is_err() {
            return Err(not_xml("an attribute's value holds `<` or an unknown entity"));
        }
        if index >= MOST_ATTRIBUTES {
            return Err(not_xml("an element has too many attributes"));
        }
    }
    Ok(())
}

fn name(name: QName<'_>) -> Result<String, String> {
    let name = name.as_ref();
    if name.starts_with(starts_name) && name.chars().all(continues_name) {
        return Ok(name.to_owned());
    }
    Err(not_xml(&format!("{} is no name", quote(name))))
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | ':')
}

fn continues_name(c: char) -> bool {
    starts_name(c) || c.is_numeric() || matches!(c, '-' | '.' | '\u{b7}' | '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn required(paths: &[&str]) -> Required {
        Required::new(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>())
    }

    #[track_caller]
    fn check(text: &str, expected: Result<(), &str>) {
        let found = whole(text, &required(&[]));
        match expected {
            Ok(()) => assert_eq!(found, Ok(()), "{text}"),
            Err(why) => assert!(found.as_ref().is_err_and(|found| found.contains(why)), "{text}: {found:?}"),
        }
    }

    #[test]
    fn a_document_is_well_formed_or_not() {
        check("<?xml version=\"1.0\"?>\n<a><b x='1'/>t&amp;&#65;<![CDATA[<]]></a>\n", Ok(()));
        check("<!DOCTYPE a SYSTEM 'a.dtd'><a/>", Ok(()));
        check("<a xmlns:p='urn:p'><p:b/></a>", Ok(()));
        check("<é/>", Ok(()));
        check("", Err("no element"));
        check("text", Err("outside its root"));
        check("<a/>text", Err("outside its root"));
        check("<a/><b/>", Err("more than one root"));
        check("<a>", Err("not closed"));
        check("<a></b>", Err("not well-formed"));
        check("<a x=1/>", Err("not well-formed"));
        check("<a x/>", Err("not well-formed"));
        check("<a x='1' x='2'/>", Err("not well-formed"));
        check("<a x='<'/>", Err("attribute"));
        check("<a>&nope;</a>", Err("\"nope\" is not declared"));
        check("<a>a & b</a>", Err("not well-formed"));
        check("<a><p:b/></a>", Err("prefix \"p\""));
        check("<1/>", Err("is no name"));
        check("<a>\u{1}</a>", Err("U+0001"));
        check("<!DOCTYPE a [<!ENTITY e 'x'>]><a/>", Err("DOCTYPE"));
        check("Here: <a/>", Err("outside its root"));
    }

    #[test]
    fn required_elements_are_paths_from_the_root() {
        let text = "<r><item><id>1</id></item><x><name/></x></r>";
        assert_eq!(whole(text, &required(&["r.item.id", "r.x", "r"])), Ok(()));
        assert_eq!(whole(text, &required(&["r.item.name"])), Err("the element \"r.item.name\" is missing".to_owned()));
        assert_eq!(whole(text, &required(&["item"])), Err("the element \"item\" is missing".to_owned()));
    }

    #[test]
    fn xml_is_found_in_a_text() {
        let check = |text: &str, paths: &[&str], expected: bool| {
            assert_eq!(part(text, &required(paths)).is_ok(), expected, "{text}");
        };
        check("Sure:\n```xml\n<a><b/></a>\n```", &["a.b"], true);
        check("one <br> two <p>x</p>", &[], true);
        check("<p>one <br> two</p> <x/>", &["x"], true);
        check("<p>one <br> two</p>", &[], false);
        check("<a><b/></a> <c><d/></c>", &["c.d"], true);
        check("2 < 3 > 1 and <nothing", &[], false);
        check("<a title='>'>x</a>", &[], true);
        check("<a>&nope;</a>", &[], false);
    }

    #[test]
    fn depth_and_size_are_no_danger() {
        let started = std::time::Instant::now();
        let none = required(&["a.a.a"]);
        let deep = format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000));
        assert_eq!(whole(&deep, &none), Ok(()));
        assert_eq!(part(&deep, &none), Ok(()));
        for text in ["<a>".repeat(70_000), "<a".repeat(100_000), "<a x='".repeat(40_000), "<!--".repeat(50_000)] {
            assert!(whole(&text, &none).is_err() && part(&text, &none).is_err());
        }
        let many: String = (0..20_000).map(|at| format!(" a{at}='1'")).collect();
        assert!(whole(&format!("<a{many}/>"), &none).is_err());
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[<>/!?a='\"& \\[\\]é-]{0,40}|\\PC{0,30}") {
            let _ = (whole(&text, &required(&["a"])), part(&text, &required(&["a"])));
        }
    }
}
