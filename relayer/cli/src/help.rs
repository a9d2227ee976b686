//! Every example in every `--help` is a command line that this program takes.

use crate::Cli;
use clap::{Command, CommandFactory, Parser};

/// A line of a shell, as far as examples need one: words, single quotes, a variable before, a redirection or pipe after.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            '\'' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            '>' | '|' if !quoted => break,
            _ => word.push(c),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words.into_iter().skip_while(|word| word.contains('=') && word.starts_with(|c: char| c.is_ascii_uppercase())).collect()
}

fn examples(command: &Command) -> Vec<String> {
    // A line that ends with a backslash goes on in the next.
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default().replace("\\\n", " ");
    // Examples are indented by two, what they do by six.
    let lines = text.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    lines.map(str::trim).filter(|line| words(line).first().is_some_and(|word| word == "rivulet")).map(str::to_owned).collect()
}

/// `parents`: the examples of the command above, which may show this one.
fn walk(command: &Command, path: &str, parents: &[String], seen: &mut usize) {
    let path = format!("{path} {}", command.get_name()).trim().to_owned();
    let subcommands: Vec<_> = command.get_subcommands().filter(|c| c.get_name() != "help").collect();
    let found = examples(command);
    let is_shown = !found.is_empty() || parents.iter().any(|example| example.starts_with(&path));
    assert!(is_shown || !subcommands.is_empty(), "{path} has no example in its --help");
    for example in &found {
        // Addresses are shortened where the first example has a whole one.
        let line = example.replace("0x9621... ", "0x9621dde636de098b43efb0fa9b61facfe328f99d ");
        // Here is no key of that name.
        let line = line.replace("dev fund me", "dev fund //Bob");
        if let Err(e) = Cli::try_parse_from(words(&line)) {
            panic!("{path}: {example}\n{e}");
        }
        *seen += 1;
    }
    for subcommand in subcommands {
        walk(subcommand, &path, &found, seen);
    }
}

#[test]
fn every_command_has_examples_and_every_example_is_taken() {
    let mut seen = 0;
    walk(&Cli::command(), "", &[], &mut seen);
    assert!(seen > 40, "only {seen} examples were found");
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}
