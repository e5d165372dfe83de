//! Templates as their authors write them: what comes out, and what is said of mistakes.

use std::borrow::Borrow;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn programs(partials: &[(&str, &str)]) -> Partials {
    let parsed = |text: &str| parse(text, Location::START).unwrap();
    partials.iter().map(|(name, text)| ((*name).into(), parsed(text))).collect()
}

fn pieces(template: &str, input: &Value, data: &Value, partials: &[(&str, &str)]) -> Result<Vec<Piece>, Trouble> {
    let program = parse(template, Location::START).unwrap_or_else(|error| panic!("{template}: {error:?}"));
    let data = data.as_object().cloned().unwrap_or_default();
    render(&program, &programs(partials), input, &data).map_err(|trouble| *trouble)
}

/// The text that comes out.
fn text(template: &str, input: &Value, data: &Value, partials: &[(&str, &str)]) -> Result<String, Trouble> {
    let texts = pieces(template, input, data, partials)?.into_iter().map(|piece| match piece {
        Piece::Text(text) => text,
        other => format!("<{other:?}>"),
    });
    Ok(texts.collect())
}

fn check(template: &str, input: impl Borrow<Value>, expected: &str) {
    assert_eq!(text(template, input.borrow(), &json!({}), &[]).as_deref(), Ok(expected), "{template}");
}

fn check_partials(template: &str, partials: &[(&str, &str)], input: impl Borrow<Value>, expected: &str) {
    assert_eq!(text(template, input.borrow(), &json!({}), partials).as_deref(), Ok(expected), "{template}");
}

/// A template that cannot be read: line, column and the start of what is said.
fn refuse(template: &str, line: u32, column: u32, message: &str) {
    let error = parse(template, Location::START).expect_err(template);
    assert_eq!((error.at.line, error.at.column), (line, column), "{template}: {error:?}");
    assert!(error.message.starts_with(message), "{template}: {error:?}");
    assert!(!error.help.is_empty());
}

/// A template that fails: line, column and the start of what is said.
fn fails(template: &str, input: impl Borrow<Value>, line: u32, column: u32, message: &str) {
    let trouble = text(template, input.borrow(), &json!({}), &[]).expect_err(template);
    assert_eq!((trouble.at.line, trouble.at.column), (line, column), "{template}: {trouble:?}");
    assert!(trouble.message.starts_with(message), "{template}: {trouble:?}");
}

#[test]
fn values_stand_as_they_are_and_are_never_templates() {
    check("Hi {{name}}, {{ name }}!", json!({"name": "<b>&{{x}}</b>"}), "Hi <b>&{{x}}</b>, <b>&{{x}}</b>!");
    check("{{{a}}} {{&a}} {{a.b.c}}{{a.[b].c}}", json!({"a": {"b": {"c": "é"}}}), "[object Object] [object Object] éé");
    check(
        "{{n}} {{f}} {{w}} {{t}} {{z}} [{{null}}]",
        json!({"n": -3, "f": 0.5, "w": 2.0, "t": false, "z": 0, "null": null}),
        "-3 0.5 2 false 0 []",
    );
    check(
        "{{list}} {{list.length}} {{list.0}} {{list.[1]}} {{word.length}}",
        json!({"list": ["a", "b"], "word": "été"}),
        "a,b 2 a b 3",
    );
    check("{{[odd name]}} {{\"odd name\"}} {{this.json}} {{./json}}", json!({"odd name": 1, "json": 2}), "1 1 2 2");
    check("{{big}} {{small}}", json!({"big": 1e21, "small": 1e-7}), "1e+21 1e-7");
}

#[test]
fn conditions_take_what_is_absent_for_false() {
    let both = "{{#if a}}yes{{else}}no{{/if}}";
    for (value, expected) in [
        (json!(true), "yes"),
        (json!(1), "yes"),
        (json!("x"), "yes"),
        (json!([0]), "yes"),
        (json!({}), "yes"),
        (json!(false), "no"),
        (json!(0), "no"),
        (json!(""), "no"),
        (json!([]), "no"),
        (json!(null), "no"),
    ] {
        check(both, json!({"a": value}), expected);
    }
    check(both, json!({}), "no");
    check("{{#if a includeZero=true}}yes{{/if}}", json!({"a": 0}), "yes");
    check("{{#unless a.b}}none{{/unless}}", json!({}), "none");
    check("{{#if a}}A{{else if b}}B{{else if c}}C{{else}}D{{/if}}", json!({"c": 1}), "C");
    check("{{#if a}}A{{else if b}}B{{/if}}", json!({}), "");
    check("{{^a}}none{{/a}}{{^b}}none{{else}}{{.}}{{/b}}{{#a}}{{^}}none{{/a}}", json!({"b": 1}), "none1none");
    check("{{#ifEquals a 1}}one{{else}}other{{/ifEquals}}", json!({"a": 1.0}), "one");
    check("{{#ifEquals a \"1\"}}one{{else}}other{{/ifEquals}}", json!({"a": 1}), "other");
    check(
        "{{#unlessEquals a b}}differ{{/unlessEquals}}{{#ifEquals x y}}absent{{/ifEquals}}",
        json!({"a": [1], "b": [1]}),
        "differabsent",
    );
}

#[test]
fn loops_know_where_they_are_and_what_is_around_them() {
    let list = json!({"items": ["a", "b", "c"], "sign": "!"});
    check(
        "{{#each items}}{{@index}}{{this}}{{../sign}}{{#unless @last}}, {{/unless}}{{/each}}",
        list.clone(),
        "0a!, 1b!, 2c!",
    );
    check("{{#each items as |item n|}}{{#if @first}}({{/if}}{{n}}{{item}}{{/each}}", list, "(0a1b2c");
    check("{{#each map}}{{@key}}={{.}};{{/each}}", json!({"map": {"z": 1, "a": 2}}), "z=1;a=2;");
    check(
        "{{#each none}}x{{else}}empty{{/each}}{{#each some}}x{{else}}empty{{/each}}",
        json!({"some": []}),
        "emptyempty",
    );
    check(
        "{{#each rows}}{{#each this}}{{@../index}}{{@index}}{{this}} {{/each}}{{/each}}",
        json!({"rows": [["a"], ["b", "c"]]}),
        "00a 10b 11c ",
    );
    check(
        "{{#with user as |u|}}{{name}} {{u.name}} {{../name}} {{@root.name}}{{/with}}",
        json!({"name": "out", "user": {"name": "in"}}),
        "in in out out",
    );
    check("{{#with none}}x{{else}}nobody{{/with}}", json!({}), "nobody");
    check(
        "{{#each items}}{{#if this.on}}{{name}}{{../sep}}{{/if}}{{/each}}",
        json!({"sep": ";", "items": [{"on": true, "name": "a"}, {"on": false}]}),
        "a;",
    );
    check(
        "{{#items}}{{name}} {{/items}}{{#one}}{{name}}{{/one}}{{#flag}}on{{/flag}}",
        json!({"items": [{"name": "a"}, {"name": "b"}], "one": {"name": "c"}, "flag": true}),
        "a b con",
    );
}

#[test]
fn json_is_written_as_javascript_writes_it() {
    check("{{json a}}", json!({"a": {"b": [1.0, "x\"", null]}}), "{\"b\":[1,\"x\\\"\",null]}");
    check("{{json a indent=2}}", json!({"a": {"b": [1], "c": []}}), "{\n  \"b\": [\n    1\n  ],\n  \"c\": []\n}");
    check("{{#ifEquals (json a) \"[1]\"}}same{{/ifEquals}} {{lookup a 0}}{{log a}}", json!({"a": [1]}), "same 1");
}

#[test]
fn tags_on_a_line_of_their_own_take_the_line() {
    check("a\n{{#if x}}\nb\n{{else}}\nc\n{{/if}}\nd\n", json!({"x": 1}), "a\nb\nd\n");
    check("a\n  {{#each x}}  \r\n  - {{this}}\r\n  {{/each}}\r\nd", json!({"x": [1, 2]}), "a\n  - 1\r\n  - 2\r\nd");
    check("{{! note }}\na {{! note }}\n{{!-- }} --}}\nb", json!({}), "a \nb");
    check("a {{#if x}}\nb\n{{/if}} c", json!({"x": 1}), "a \nb\n c");
    check("{{x}}\n{{x}}\n", json!({"x": 1}), "1\n1\n");
    check("a  {{~x~}}  b {{~#if x~}} c {{~/if~}} d", json!({"x": 1}), "a1bcd");
}

#[test]
fn braces_can_be_shown() {
    check("\\{{x}} {{x}} \\\\{{x}}", json!({"x": 1}), "{{x}} 1 \\1");
    check("a { b }} {x}", json!({}), "a { b }} {x}");
}

#[test]
fn data_comes_with_an_at() {
    let data = json!({"state": {"count": 3}, "auth": {"email": "m@example.org"}});
    assert_eq!(
        text("{{@state.count}} {{#each l}}{{@auth.email}}{{/each}}", &json!({"l": [1]}), &data, &[]).unwrap(),
        "3 m@example.org"
    );
    fails("a\n {{@state.count}}", json!({}), 2, 2, "variable `@state.count` has no value");
    check("{{#if @state.count}}x{{/if}}", json!({}), "");
}

#[test]
fn partials_see_the_context_and_what_they_are_given() {
    check_partials("{{> hi}} there", &[("hi", "Hello {{name}}")], json!({"name": "Mara"}), "Hello Mara there");
    check_partials(
        "{{> hi name=user.first}} {{name}}",
        &[("hi", "Hello {{name}}")],
        json!({"name": "out", "user": {"first": "Mara"}}),
        "Hello Mara out",
    );
    check_partials(
        "{{> card user}}",
        &[("card", "{{name}} {{../sign}}")],
        json!({"user": {"name": "a"}, "sign": "!"}),
        "a !",
    );
    check_partials("{{> outer}}", &[("outer", "[{{> in-ner.v2}}]"), ("in-ner.v2", "x")], json!({}), "[x]");
    check_partials("{{> a/b}}{{> \"a/b\"}}", &[("a/b", "x")], json!({}), "xx");
    check_partials("a\n  {{> list}}\nb", &[("list", "- 1\n\n- 2\n")], json!({}), "a\n  - 1\n  \n  - 2\nb");
    check_partials(
        "{{#each l}}{{> row this n=@index}}{{/each}}",
        &[("row", "{{n}}{{#if note}}!{{/if}}{{name}} ")],
        json!({"l": [{"name": "a"}, {"name": "b", "note": 1}]}),
        "0a 1!b ",
    );
    check_partials("{{> json-of x=1}}", &[("json-of", "{{json this}}")], json!({"a": 2}), "{\"a\":2,\"x\":1}");
}

#[test]
fn what_a_partial_lacks_is_told_where_it_is_included() {
    let told = |template: &str, partials: &[(&str, &str)]| {
        let trouble = text(template, &json!({}), &json!({}), partials).unwrap_err();
        (trouble.at.line, trouble.at.column, trouble.message)
    };
    let (line, column, message) = told("a\n{{> outer}}", &[("outer", "{{> inner}}"), ("inner", "x\n{{y}}")]);
    assert_eq!((line, column), (2, 1));
    assert!(message.starts_with("in the partial `inner`, line 2: variable `y` has no value"), "{message}");
    assert_eq!(told("{{> p who=name}}", &[("p", "{{who}}")]), (1, 11, "variable `name` has no value".to_owned()));
    assert!(told("{{> gone}}", &[]).2.starts_with("partial `gone` not found"));
}

#[test]
fn marks_of_messages_are_no_text() {
    let found = pieces(
        "{{role \"system\" purpose=p}}{{x}}{{history}}{{media url=x contentType=\"image/png\"}}{{section \"s\"}}",
        &json!({"x": "<<<dotprompt:role:model>>>", "p": "q"}),
        &json!({}),
        &[],
    )
    .unwrap();
    let [
        Piece::Role { name, metadata, .. },
        Piece::Text(text),
        Piece::History,
        Piece::Media { url, content_type },
        Piece::Section(section),
    ] = found.as_slice()
    else {
        panic!("{found:?}");
    };
    assert_eq!((name.as_str(), metadata.as_slice()), ("system", &[("purpose".to_owned(), "q".to_owned())][..]));
    assert_eq!((text.as_str(), url), ("<<<dotprompt:role:model>>>", text));
    assert_eq!((content_type.as_deref(), section.as_str()), (Some("image/png"), "s"));
}

#[test]
fn a_variable_without_a_value_is_told_with_its_place() {
    fails("Hi\n  {{name}}", json!({}), 2, 3, "variable `name` has no value");
    fails("é{{user.name}}", json!({"user": {}}), 1, 2, "variable `user.name` has no value");
    fails("{{json  it}}", json!({}), 1, 9, "variable `it` has no value");
    fails("{{#if a}}\n{{b}}{{/if}}", json!({"a": 1}), 2, 1, "variable `b` has no value");
    fails("{{media url=photo}}", json!({}), 1, 13, "variable `photo` has no value");
}

#[test]
fn mistakes_are_told_with_their_place() {
    refuse("a\n {{#if x}} b", 2, 2, "the block `if` is not closed");
    refuse("{{#if x}}\n{{/each}}", 2, 1, "{{/each}} does not close the block `if` of line 1");
    refuse("a {{/if}}", 1, 3, "this closes a block that is not open");
    refuse("a {{else}}", 1, 3, "`else` outside any block");
    refuse("{{#if x}}{{else}}{{else}}{{/if}}", 1, 18, "a second `else`");
    refuse("a {{name", 1, 3, "the tag is not closed");
    refuse("{{name}\n{{x}}", 1, 7, "unexpected `}`");
    refuse("{{ shout name }}", 1, 4, "unknown helper `shout`");
    refuse("{{#iff x}}{{/iff}}", 1, 4, "unknown helper `iff`");
    refuse("{{json (uper x)}}", 1, 9, "unknown helper `uper`");
    refuse("{{if x}}", 1, 1, "`if` is a block");
    refuse("{{#json x}}{{/json}}", 1, 1, "`json` is no block");
    refuse("{{#if}}{{/if}}", 1, 1, "`if` takes 1 argument, found 0");
    refuse("{{#if a as |b|}}{{/if}}", 1, 1, "block parameters belong to");
    refuse("{{media}}", 1, 1, "`media` needs `url`");
    refuse("{{#> layout}}x{{/layout}}", 1, 1, "partial blocks");
    refuse("{{#*inline \"a\"}}x{{/inline}}", 1, 1, "decorators and inline partials");
    refuse("{{> (lookup . \"a\")}}", 1, 5, "a partial whose name is computed");
    refuse("{{{{raw}}}} x {{{{/raw}}}}", 1, 1, "raw blocks");
    refuse("{{a \"b}}", 1, 5, "the text in quotes is not closed");
    refuse("{{!-- a }}", 1, 1, "the comment is not closed");
    refuse("{{a b=}}", 1, 1, "a name is missing");
    refuse("{{}}", 1, 1, "a name is missing");
    refuse("{{a.}}", 1, 3, "unknown helper `a`");
}

#[test]
fn the_variables_that_every_case_needs_are_known() {
    let needs = |template: &str, partials: &[(&str, &str)]| {
        let found = places(&parse(template, Location::START).unwrap(), &programs(partials));
        found.into_iter().map(|(name, at)| format!("{name}@{}:{}", at.line, at.column)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        needs("{{a}}\n{{b.c}} {{json d}} {{#if e}}{{f}}{{/if}}{{#each g}}{{h}}{{/each}}", &[]),
        "a@1:1 b@2:1 d@2:16"
    );
    assert_eq!(
        needs("{{@state.x}} {{@root.y}} {{@metadata.docs}} {{this.z}} {{role w}}", &[]),
        "@state@1:1 y@1:14 z@1:45 w@1:63"
    );
    assert_eq!(needs("\n{{> p x=a}}{{> q b}}", &[("p", "{{x}} {{c}}"), ("q", "{{d}}")]), "a@2:9 c@2:1 b@2:18");
}

#[test]
fn bombs_end_soon() {
    let nested = format!("{}z{}", "{{#each @root.x}}".repeat(4), "{{/each}}".repeat(4));
    let deep = format!("{}{{{{> me}}}}{}", "{{#each @root.x}}".repeat(45), "{{/each}}".repeat(45));
    let loud = "{{#each x}}{{json ../x}}{{/each}}";
    let quiet = "{{#each x}}{{#ifEquals ../big ../big2}}{{/ifEquals}}{{/each}}";
    let mut input = json!({"x": vec!["y".repeat(100); 1000]});
    input["big"] = json!("a".repeat(1 << 20));
    input["big2"] = json!("a".repeat(1 << 20));
    let doubling: Vec<(String, String)> =
        (0..40).map(|n| (format!("p{n}"), format!("{{{{> p{}}}}}{{{{> p{}}}}}", n + 1, n + 1))).collect();
    let mut doubling: Vec<(&str, &str)> = doubling.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    doubling.push(("p40", "x"));
    for (template, partials, message) in [
        (nested.as_str(), &[][..], "the template takes more than"),
        (loud, &[], "the prompt gets longer than 1 MiB"),
        (quiet, &[], "the template takes more than"),
        ("{{> p0}}", &doubling, "the template takes more than"),
        ("{{> me}}", &[("me", "{{> me}}")], "more than 100 blocks and partials"),
        ("{{> me}}", &[("me", &deep)], "more than 100 blocks and partials"),
    ] {
        let start = Instant::now();
        let trouble = text(template, &input, &json!({}), partials).unwrap_err();
        assert!(trouble.message.contains(message), "{trouble:?}");
        assert!(start.elapsed() < Duration::from_secs(2), "{template}: {:?}", start.elapsed());
    }
    let start = Instant::now();
    assert!(places(&parse("{{> p0}}", Location::START).unwrap(), &programs(&doubling)).is_empty());
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn nesting_has_a_bound_and_long_chains_have_none() {
    let deep = "{{#if a}}".repeat(10_000);
    assert!(parse(&deep, Location::START).unwrap_err().message.starts_with("more than 50 blocks"));
    let calls = format!("{{{{json {}x{}}}}}", "(json ".repeat(10_000), ")".repeat(10_000));
    assert!(parse(&calls, Location::START).unwrap_err().message.starts_with("more than 16 calls"));
    let chain = format!("{{{{#if a}}}}{}{{{{else}}}}end{{{{/if}}}}", "{{else if a}}x".repeat(10_000));
    check(&chain, json!({}), "end");
    let long = "word {{a}} ".repeat(20_000);
    assert_eq!(text(&long, &json!({"a": 1}), &json!({}), &[]).unwrap().len(), 20_000 * 7);
}

proptest! {
    #[test]
    fn text_without_braces_is_itself(template in "[^{\\\\]*") {
        prop_assert_eq!(text(&template, &json!({}), &json!({}), &[]).unwrap(), template);
    }

    #[test]
    fn no_template_panics(parts in proptest::collection::vec(
        prop_oneof!["[ a-z{}#/^>~!.@|=\"'\\\\\\[\\]()\n-]{0,6}", Just("{{#if a}}".to_owned()), Just("{{else}}".to_owned()),
            Just("{{/if}}".to_owned()), Just("{{#each a as |b c|}}".to_owned()), Just("{{/each}}".to_owned()),
            Just("{{> p a=(json b)}}".to_owned()), Just("{{~../a.[b].0~}}".to_owned()), Just("é🙂".to_owned())], 0..12)) {
        let template = parts.concat();
        if let Ok(program) = parse(&template, Location { line: 3, column: 5, length: 0 }) {
            let partials = programs(&[("p", "{{a}}{{#with b}}{{.}}{{/with}}")]);
            let _ = places(&program, &partials);
            let _ = render(&program, &partials, &json!({"a": [1, "x"], "b": {"c": null}}), &Map::new());
        }
    }
}
