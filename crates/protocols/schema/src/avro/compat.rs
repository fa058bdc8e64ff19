//! Whether a reader understands what a writer wrote.
//!
//! The rules are those of `SchemaCompatibility` in Avro 1.12 for Java: promotion of numbers, names
//! compared without their namespace, the reader's aliases, unions branch by branch, defaults for
//! what a writer did not know. Every difference is reported, with its place in the reader's or
//! writer's schema as a JSON pointer. Spec:
//! <https://avro.apache.org/docs/1.12.0/specification/#schema-resolution>

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::rc::Rc;

use super::{Enum, Field, Fixed, Kind, NESTING_MAX, NodeId, Record, Schema, text};

/// Pairs of types compared for one pair of schemas, at most. A schema of 1 MiB against another
/// takes fewer unless both are made to take more.
const PAIRS_MAX: usize = 1_000_000;

/// Differences reported, at most: a type that is used in many places brings its differences to each
/// of them.
const DIFFERENCES_MAX: usize = 1000;

/// One reason why the reader does not understand the writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incompatibility {
    /// What kind of difference it is.
    pub kind: IncompatibilityKind,
    /// Where: a JSON pointer, `/` for the whole schema.
    pub location: String,
    /// Details in Java's words: a field's name, missing symbols, two types.
    pub message: String,
}

/// The kinds of differences, named as in Java.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncompatibilityKind {
    /// Named types with different names, and no alias.
    NameMismatch,
    /// Fixed types of different sizes.
    FixedSizeMismatch,
    /// An enum lacks symbols of the writer, and has no default.
    MissingEnumSymbols,
    /// A field that the writer does not know has no default.
    ReaderFieldMissingDefaultValue,
    /// Types that do not go together.
    TypeMismatch,
    /// A type of the writer that no branch of the reader's union takes.
    MissingUnionBranch,
}

impl fmt::Display for IncompatibilityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IncompatibilityKind::NameMismatch => "NAME_MISMATCH",
            IncompatibilityKind::FixedSizeMismatch => "FIXED_SIZE_MISMATCH",
            IncompatibilityKind::MissingEnumSymbols => "MISSING_ENUM_SYMBOLS",
            IncompatibilityKind::ReaderFieldMissingDefaultValue => {
                "READER_FIELD_MISSING_DEFAULT_VALUE"
            }
            IncompatibilityKind::TypeMismatch => "TYPE_MISMATCH",
            IncompatibilityKind::MissingUnionBranch => "MISSING_UNION_BRANCH",
        })
    }
}

/// Why two schemas could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompatibilityError {
    /// A reader's field and its aliases name several of the writer's fields.
    #[error("Reader record field {field} matches multiple fields in writer record schema {writer}")]
    Ambiguous {
        /// The reader's field: name, type and place.
        field: String,
        /// The writer's record.
        writer: String,
    },
    /// They are too large, or nested too deeply.
    #[error("the schemas are too large to compare: more than {limit} {what}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// What it counts.
        what: &'static str,
    },
}

/// Every reason why data written with `writer` cannot be read with `reader`; none if it can.
pub fn check_reader_writer(
    reader: &Schema,
    writer: &Schema,
) -> Result<Vec<Incompatibility>, CompatibilityError> {
    let mut checker = Checker { reader, writer, judged: HashMap::new() };
    let found = checker.pair(reader.root, writer.root, &Location::default())?;
    Ok(found.listed())
}

/// The steps from the root to the types being compared. Shared between all that is below a step,
/// because most places are never printed.
#[derive(Clone, Default)]
struct Location {
    last: Option<Rc<Step>>,
    /// Pairs above this one.
    depth: usize,
}

struct Step {
    name: StepName,
    before: Option<Rc<Step>>,
}

enum StepName {
    Word(&'static str),
    Place(usize),
}

impl Location {
    fn word(&self, word: &'static str) -> Location {
        self.step(StepName::Word(word))
    }

    fn place(&self, place: usize) -> Location {
        self.step(StepName::Place(place))
    }

    fn step(&self, name: StepName) -> Location {
        let last = Some(Rc::new(Step { name, before: self.last.clone() }));
        Location { last, depth: self.depth }
    }

    /// Java probes the branches of a union as if they were whole schemas.
    fn probe(&self) -> Location {
        Location { last: None, depth: self.depth }
    }

    fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut next = &self.last;
        while let Some(step) = next {
            steps.push(match step.name {
                StepName::Word(word) => word.to_owned(),
                StepName::Place(place) => place.to_string(),
            });
            next = &step.before;
        }
        steps.reverse();
        format!("/{}", steps.join("/"))
    }
}

/// The differences of one pair: its own, and those of the pairs below it, in the order in which
/// they were found. The lists below are shared: one difference may have very many places.
#[derive(Default)]
struct Differences(Vec<Difference>);

enum Difference {
    Own { kind: IncompatibilityKind, location: Location, message: String },
    Below(Rc<Differences>),
}

impl Differences {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, kind: IncompatibilityKind, location: Location, message: String) {
        self.0.push(Difference::Own { kind, location, message });
    }

    fn add_all(&mut self, found: Rc<Differences>) {
        if !found.is_empty() {
            self.0.push(Difference::Below(found));
        }
    }

    /// All of them, up to a limit. No list below is empty, so that every step leads to one.
    fn listed(&self) -> Vec<Incompatibility> {
        let mut listed = Vec::new();
        let mut todo: Vec<&Difference> = self.0.iter().rev().collect();
        while let Some(next) = todo.pop()
            && listed.len() < DIFFERENCES_MAX
        {
            match next {
                Difference::Own { kind, location, message } => listed.push(Incompatibility {
                    kind: *kind,
                    location: location.pointer(),
                    message: message.clone(),
                }),
                Difference::Below(found) => todo.extend(found.0.iter().rev()),
            }
        }
        listed
    }
}

type Found = Rc<Differences>;

struct Checker<'a> {
    reader: &'a Schema,
    writer: &'a Schema,
    /// None while a pair is being judged: a recursion is compatible if the rest is.
    judged: HashMap<(NodeId, NodeId), Option<Found>>,
}

impl Checker<'_> {
    fn pair(
        &mut self,
        reader: NodeId,
        writer: NodeId,
        location: &Location,
    ) -> Result<Found, CompatibilityError> {
        match self.judged.get(&(reader, writer)) {
            Some(Some(found)) => return Ok(Rc::clone(found)),
            Some(None) => return Ok(Found::default()),
            None => {}
        }
        if self.judged.len() >= PAIRS_MAX {
            return Err(CompatibilityError::TooLarge { limit: PAIRS_MAX, what: "pairs of types" });
        }
        if location.depth >= NESTING_MAX {
            return Err(CompatibilityError::TooLarge { limit: NESTING_MAX, what: "nested types" });
        }
        self.judged.insert((reader, writer), None);
        let below = Location { last: location.last.clone(), depth: location.depth + 1 };
        let mut found = Differences::default();
        self.judge(reader, writer, &below, &mut found)?;
        let found = Rc::new(found);
        self.judged.insert((reader, writer), Some(Rc::clone(&found)));
        Ok(found)
    }

    fn judge(
        &mut self,
        reader: NodeId,
        writer: NodeId,
        location: &Location,
        found: &mut Differences,
    ) -> Result<(), CompatibilityError> {
        let (reader_schema, writer_schema) = (self.reader, self.writer);
        match (reader_schema.kind(reader), writer_schema.kind(writer)) {
            (Kind::Array(a), Kind::Array(b)) => {
                found.add_all(self.pair(*a, *b, &location.word("items"))?);
            }
            (Kind::Map(a), Kind::Map(b)) => {
                found.add_all(self.pair(*a, *b, &location.word("values"))?);
            }
            (ours @ Kind::Record(a), theirs @ Kind::Record(b)) => {
                check_names(ours, theirs, location, found);
                self.fields(a, (writer, b), &location.word("fields"), found)?;
            }
            (Kind::Union(_), Kind::Union(branches)) => {
                for (at, branch) in branches.iter().enumerate() {
                    if !self.pair(reader, *branch, &location.probe())?.is_empty() {
                        add_lacking(writer_schema.kind(*branch), location.place(at), found);
                    }
                }
            }
            (_, Kind::Union(branches)) => {
                for (at, branch) in branches.iter().enumerate() {
                    found.add_all(self.pair(reader, *branch, &location.place(at))?);
                }
            }
            (Kind::Union(branches), theirs) => {
                for branch in branches {
                    if self.pair(*branch, writer, &location.probe())?.is_empty() {
                        return Ok(());
                    }
                }
                add_lacking(theirs, location.clone(), found);
            }
            (ours, theirs) => check_leaves(ours, theirs, location, found),
        }
        Ok(())
    }

    fn fields(
        &mut self,
        reader: &Record,
        (writer, theirs): (NodeId, &Record),
        location: &Location,
        found: &mut Differences,
    ) -> Result<(), CompatibilityError> {
        let places: HashMap<&str, &Field> =
            theirs.fields.iter().map(|field| (field.name.as_str(), field)).collect();
        for (at, field) in reader.fields.iter().enumerate() {
            let location = location.place(at);
            let theirs = self.written_field(&places, (at, field), writer)?;
            // Java compares an enum that has a default of its own with the whole record.
            let enum_default =
                matches!(self.reader.kind(field.schema), Kind::Enum(Enum { default: Some(_), .. }));
            let against = match theirs {
                Some(theirs) => Some(theirs.schema),
                None if field.default.is_none() && enum_default => Some(writer),
                None => None,
            };
            match against {
                Some(against) => {
                    found.add_all(self.pair(field.schema, against, &location.word("type"))?);
                }
                None if field.default.is_some() => {}
                None => found.add(
                    IncompatibilityKind::ReaderFieldMissingDefaultValue,
                    location,
                    field.name.clone(),
                ),
            }
        }
        Ok(())
    }

    /// The field of the writer that a field of the reader takes its value from.
    fn written_field<'f>(
        &self,
        places: &HashMap<&str, &'f Field>,
        (at, field): (usize, &Field),
        writer: NodeId,
    ) -> Result<Option<&'f Field>, CompatibilityError> {
        let names = std::iter::once(&field.name).chain(&field.aliases);
        let mut matching = names.filter_map(|name| places.get(name.as_str()).copied());
        let first = matching.next();
        if matching.next().is_some() {
            let kind = shouted(self.reader.kind(field.schema));
            return Err(CompatibilityError::Ambiguous {
                field: format!("{} type:{kind} pos:{at}", field.name),
                writer: text::of(&self.writer.nodes, writer),
            });
        }
        Ok(first)
    }
}

/// Whether a value of the writer's type is read as one of the reader's.
fn promotes(writer: &Kind, reader: &Kind) -> bool {
    use Kind::{Boolean, Bytes, Double, Float, Int, Long, Null, String};
    matches!(
        (writer, reader),
        (Null, Null)
            | (Boolean, Boolean)
            | (Int, Int | Long | Float | Double)
            | (Long, Long | Float | Double)
            | (Float, Float | Double)
            | (Double, Double)
            | (String | Bytes, String | Bytes)
    )
}

/// Types that hold no others.
fn check_leaves(reader: &Kind, writer: &Kind, location: &Location, found: &mut Differences) {
    match (reader, writer) {
        (Kind::Fixed(a), Kind::Fixed(b)) => {
            check_names(reader, writer, location, found);
            check_size(a, b, location, found);
        }
        (Kind::Enum(a), Kind::Enum(b)) => {
            check_names(reader, writer, location, found);
            check_symbols(a, b, location, found);
        }
        (reader, writer) if promotes(writer, reader) => {}
        (reader, writer) => {
            let (reader, writer) = (shouted(reader), shouted(writer));
            let message =
                format!("reader type: {reader} not compatible with writer type: {writer}");
            found.add(IncompatibilityKind::TypeMismatch, location.clone(), message);
        }
    }
}

fn check_names(reader: &Kind, writer: &Kind, location: &Location, found: &mut Differences) {
    let (Some(ours), Some(theirs)) = (reader.name(), writer.name()) else { return };
    let known = ours.simple() == theirs.simple()
        || reader.aliases().iter().any(|alias| match alias.namespace() {
            // Java marks an alias without namespace of a type that has one, and so it never matches.
            None if ours.namespace().is_some() => false,
            _ => alias == theirs,
        });
    if !known {
        let message = format!("expected: {theirs}");
        found.add(IncompatibilityKind::NameMismatch, location.word("name"), message);
    }
}

fn check_size(reader: &Fixed, writer: &Fixed, location: &Location, found: &mut Differences) {
    if reader.size != writer.size {
        let message = format!("expected: {}, found: {}", writer.size, reader.size);
        found.add(IncompatibilityKind::FixedSizeMismatch, location.word("size"), message);
    }
}

fn check_symbols(reader: &Enum, writer: &Enum, location: &Location, found: &mut Differences) {
    if reader.default.is_some() {
        return;
    }
    let mut missing: BTreeSet<&str> = writer.symbols.iter().map(String::as_str).collect();
    for symbol in &reader.symbols {
        missing.remove(symbol.as_str());
    }
    if !missing.is_empty() {
        let message = format!("[{}]", missing.into_iter().collect::<Vec<_>>().join(", "));
        found.add(IncompatibilityKind::MissingEnumSymbols, location.word("symbols"), message);
    }
}

fn add_lacking(writer: &Kind, location: Location, found: &mut Differences) {
    let message = format!("reader union lacking writer type: {}", shouted(writer));
    found.add(IncompatibilityKind::MissingUnionBranch, location, message);
}

/// A type's name as Java's enum of types prints it.
fn shouted(kind: &Kind) -> String {
    kind.type_name().to_ascii_uppercase()
}
