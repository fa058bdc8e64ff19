//! Columns that grow value by value and can be cut back: a record that turns out bad in its last
//! field leaves nothing in the columns before.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, ListArray, MapArray, PrimitiveArray, StringArray,
    StructArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, FieldRef, Fields, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use arrow::error::ArrowError;

/// One column under construction. Every variant has one entry in `valid` per row.
#[derive(Debug)]
pub(super) enum Column {
    Text(Bytes),
    Binary(Bytes),
    Boolean(Plain<bool>),
    Int8(Plain<i8>),
    Int16(Plain<i16>),
    Int32(Plain<i32>),
    Int64(Plain<i64>),
    Float32(Plain<f32>),
    Float64(Plain<f64>),
    Decimal(Plain<i128>, u8, i8),
    Date(Plain<i32>),
    Time(Plain<i32>),
    /// In the unit, with or without a zone.
    Timestamp(Plain<i64>, TimeUnit, Option<Arc<str>>),
    Struct {
        fields: Fields,
        columns: Vec<Column>,
        valid: Valid,
    },
    List {
        item: FieldRef,
        offsets: Vec<i32>,
        column: Box<Column>,
        valid: Valid,
    },
    Map {
        entries: FieldRef,
        offsets: Vec<i32>,
        key: Box<Column>,
        value: Box<Column>,
        valid: Valid,
    },
}

/// Which values are there.
#[derive(Debug, Default)]
pub(super) struct Valid {
    bits: Vec<bool>,
    nulls: usize,
}

impl Valid {
    #[inline]
    fn push(&mut self, valid: bool) {
        self.bits.push(valid);
        self.nulls += usize::from(!valid);
    }

    fn truncate(&mut self, len: usize) {
        let cut = self.bits.get(len..).unwrap_or_default();
        self.nulls -= cut.iter().filter(|valid| !**valid).count();
        self.bits.truncate(len);
    }

    fn finish(&mut self) -> Option<NullBuffer> {
        let bits = std::mem::take(&mut self.bits);
        let nulls = std::mem::take(&mut self.nulls);
        (nulls > 0).then(|| NullBuffer::new(BooleanBuffer::from(bits)))
    }
}

/// Values of one size.
#[derive(Debug, Default)]
pub(super) struct Plain<T> {
    values: Vec<T>,
    valid: Valid,
}

impl<T: Default> Plain<T> {
    #[inline]
    pub(super) fn push(&mut self, value: T) {
        self.values.push(value);
        self.valid.push(true);
    }

    fn push_null(&mut self) {
        self.values.push(T::default());
        self.valid.push(false);
    }

    fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.valid.truncate(len);
    }
}

impl<T: arrow::datatypes::ArrowNativeType> Plain<T> {
    fn finish<P: ArrowPrimitiveType<Native = T>>(&mut self) -> PrimitiveArray<P> {
        let values = ScalarBuffer::from(std::mem::take(&mut self.values));
        PrimitiveArray::new(values, self.valid.finish())
    }
}

/// Values of many sizes, one after the other.
#[derive(Debug)]
pub(super) struct Bytes {
    data: Vec<u8>,
    offsets: Vec<i32>,
    valid: Valid,
}

impl Bytes {
    fn new() -> Bytes {
        Bytes { data: Vec::new(), offsets: vec![0], valid: Valid::default() }
    }

    #[inline]
    pub(super) fn push(&mut self, value: &[u8]) {
        self.data.extend_from_slice(value);
        self.close();
    }

    /// Where a value can be written piece by piece; [`Bytes::close`] ends it.
    #[inline]
    pub(super) fn open(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }

    /// Ends the value.
    #[inline]
    pub(super) fn close(&mut self) {
        self.offsets.push(end(self.data.len()));
        self.valid.push(true);
    }

    /// Forgets a value that was opened and not closed.
    pub(super) fn abandon(&mut self) {
        let len = self.offsets.last().copied().unwrap_or(0);
        self.data.truncate(len as usize);
    }

    fn push_null(&mut self) {
        self.offsets.push(end(self.data.len()));
        self.valid.push(false);
    }

    fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.valid.truncate(len);
        self.abandon();
    }

    fn finish(&mut self) -> (OffsetBuffer<i32>, Buffer, Option<NullBuffer>) {
        let data = Buffer::from(std::mem::take(&mut self.data));
        (finish_offsets(&mut self.offsets), data, self.valid.finish())
    }
}

/// Records of one poll are far below 2 GiB, so that offsets of 32 bits hold.
fn end(len: usize) -> i32 {
    i32::try_from(len).expect("the records of one poll have less than 2 GiB")
}

fn finish_offsets(offsets: &mut Vec<i32>) -> OffsetBuffer<i32> {
    OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(offsets, vec![0])))
}

impl Column {
    pub(super) fn new(data_type: &DataType) -> Result<Column, ArrowError> {
        Ok(match data_type {
            DataType::Utf8 => Column::Text(Bytes::new()),
            DataType::Binary => Column::Binary(Bytes::new()),
            DataType::Boolean => Column::Boolean(Plain::default()),
            DataType::Int8 => Column::Int8(Plain::default()),
            DataType::Int16 => Column::Int16(Plain::default()),
            DataType::Int32 => Column::Int32(Plain::default()),
            DataType::Int64 => Column::Int64(Plain::default()),
            DataType::Float32 => Column::Float32(Plain::default()),
            DataType::Float64 => Column::Float64(Plain::default()),
            DataType::Decimal128(precision, scale) => {
                Column::Decimal(Plain::default(), *precision, *scale)
            }
            DataType::Date32 => Column::Date(Plain::default()),
            DataType::Time32(TimeUnit::Millisecond) => Column::Time(Plain::default()),
            DataType::Timestamp(unit, zone) => {
                Column::Timestamp(Plain::default(), *unit, zone.clone())
            }
            DataType::Struct(fields) => Column::Struct {
                fields: fields.clone(),
                columns: fields
                    .iter()
                    .map(|field| Column::new(field.data_type()))
                    .collect::<Result<_, _>>()?,
                valid: Valid::default(),
            },
            DataType::List(item) => Column::List {
                item: Arc::clone(item),
                offsets: vec![0],
                column: Box::new(Column::new(item.data_type())?),
                valid: Valid::default(),
            },
            DataType::Map(entries, _) => {
                let DataType::Struct(fields) = entries.data_type() else {
                    return Err(ArrowError::SchemaError("a map without entries".to_owned()));
                };
                Column::Map {
                    entries: Arc::clone(entries),
                    offsets: vec![0],
                    key: Box::new(Column::new(fields[0].data_type())?),
                    value: Box::new(Column::new(fields[1].data_type())?),
                    valid: Valid::default(),
                }
            }
            other => {
                return Err(ArrowError::NotYetImplemented(format!("columns of type {other}")));
            }
        })
    }

    pub(super) fn len(&self) -> usize {
        self.valid().bits.len()
    }

    fn valid(&self) -> &Valid {
        match self {
            Column::Text(bytes) | Column::Binary(bytes) => &bytes.valid,
            Column::Boolean(plain) => &plain.valid,
            Column::Int8(plain) => &plain.valid,
            Column::Int16(plain) => &plain.valid,
            Column::Int32(plain) | Column::Date(plain) | Column::Time(plain) => &plain.valid,
            Column::Int64(plain) | Column::Timestamp(plain, ..) => &plain.valid,
            Column::Float32(plain) => &plain.valid,
            Column::Float64(plain) => &plain.valid,
            Column::Decimal(plain, ..) => &plain.valid,
            Column::Struct { valid, .. }
            | Column::List { valid, .. }
            | Column::Map { valid, .. } => valid,
        }
    }

    pub(super) fn push_null(&mut self) {
        match self {
            Column::Text(bytes) | Column::Binary(bytes) => bytes.push_null(),
            Column::Boolean(plain) => plain.push_null(),
            Column::Int8(plain) => plain.push_null(),
            Column::Int16(plain) => plain.push_null(),
            Column::Int32(plain) | Column::Date(plain) | Column::Time(plain) => plain.push_null(),
            Column::Int64(plain) | Column::Timestamp(plain, ..) => plain.push_null(),
            Column::Float32(plain) => plain.push_null(),
            Column::Float64(plain) => plain.push_null(),
            Column::Decimal(plain, ..) => plain.push_null(),
            Column::Struct { columns, valid, .. } => {
                columns.iter_mut().for_each(Column::push_null);
                valid.push(false);
            }
            Column::List { .. } | Column::Map { .. } => self.close(false),
        }
    }

    /// Ends a ROW, ARRAY or MAP whose parts were pushed.
    pub(super) fn close(&mut self, is_valid: bool) {
        match self {
            Column::Struct { valid, .. } => valid.push(is_valid),
            Column::List { offsets, column, valid, .. } => {
                offsets.push(end(column.len()));
                valid.push(is_valid);
            }
            Column::Map { offsets, key, valid, .. } => {
                offsets.push(end(key.len()));
                valid.push(is_valid);
            }
            _ => {}
        }
    }

    /// Keeps the first `len` values, and drops parts of one that was not closed.
    pub(super) fn truncate(&mut self, len: usize) {
        match self {
            Column::Text(bytes) | Column::Binary(bytes) => bytes.truncate(len),
            Column::Boolean(plain) => plain.truncate(len),
            Column::Int8(plain) => plain.truncate(len),
            Column::Int16(plain) => plain.truncate(len),
            Column::Int32(plain) | Column::Date(plain) | Column::Time(plain) => plain.truncate(len),
            Column::Int64(plain) | Column::Timestamp(plain, ..) => plain.truncate(len),
            Column::Float32(plain) => plain.truncate(len),
            Column::Float64(plain) => plain.truncate(len),
            Column::Decimal(plain, ..) => plain.truncate(len),
            Column::Struct { columns, valid, .. } => {
                columns.iter_mut().for_each(|column| column.truncate(len));
                valid.truncate(len);
            }
            Column::List { offsets, column, valid, .. } => {
                offsets.truncate(len + 1);
                valid.truncate(len);
                column.truncate(offsets.last().copied().unwrap_or(0) as usize);
            }
            Column::Map { offsets, key, value, valid, .. } => {
                offsets.truncate(len + 1);
                valid.truncate(len);
                let entries = offsets.last().copied().unwrap_or(0) as usize;
                key.truncate(entries);
                value.truncate(entries);
            }
        }
    }

    /// The values as an array; the column is empty afterwards.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Column::Text(bytes) => {
                let (offsets, data, nulls) = bytes.finish();
                Arc::new(StringArray::new(offsets, data, nulls))
            }
            Column::Binary(bytes) => {
                let (offsets, data, nulls) = bytes.finish();
                Arc::new(BinaryArray::new(offsets, data, nulls))
            }
            Column::Boolean(plain) => {
                let values = BooleanBuffer::from(std::mem::take(&mut plain.values));
                Arc::new(BooleanArray::new(values, plain.valid.finish()))
            }
            Column::Int8(plain) => Arc::new(plain.finish::<Int8Type>()),
            Column::Int16(plain) => Arc::new(plain.finish::<Int16Type>()),
            Column::Int32(plain) => Arc::new(plain.finish::<Int32Type>()),
            Column::Int64(plain) => Arc::new(plain.finish::<Int64Type>()),
            Column::Float32(plain) => Arc::new(plain.finish::<Float32Type>()),
            Column::Float64(plain) => Arc::new(plain.finish::<Float64Type>()),
            Column::Decimal(plain, precision, scale) => {
                let data_type = DataType::Decimal128(*precision, *scale);
                Arc::new(plain.finish::<Decimal128Type>().with_data_type(data_type))
            }
            Column::Date(plain) => Arc::new(plain.finish::<Date32Type>()),
            Column::Time(plain) => Arc::new(plain.finish::<Time32MillisecondType>()),
            Column::Timestamp(plain, unit, zone) => match unit {
                TimeUnit::Microsecond => Arc::new(
                    plain.finish::<TimestampMicrosecondType>().with_timezone_opt(zone.clone()),
                ),
                TimeUnit::Nanosecond => Arc::new(
                    plain.finish::<TimestampNanosecondType>().with_timezone_opt(zone.clone()),
                ),
                _ => Arc::new(
                    plain.finish::<TimestampMillisecondType>().with_timezone_opt(zone.clone()),
                ),
            },
            Column::Struct { fields, columns, valid } => {
                let len = valid.bits.len();
                let arrays = columns.iter_mut().map(Column::finish).collect();
                let nulls = valid.finish();
                // Without fields there is nothing that could tell the length.
                if fields.is_empty() {
                    Arc::new(StructArray::new_empty_fields(len, nulls))
                } else {
                    Arc::new(StructArray::new(fields.clone(), arrays, nulls))
                }
            }
            Column::List { item, offsets, column, valid } => Arc::new(ListArray::new(
                Arc::clone(item),
                finish_offsets(offsets),
                column.finish(),
                valid.finish(),
            )),
            Column::Map { entries, offsets, key, value, valid } => {
                let DataType::Struct(fields) = entries.data_type() else {
                    unreachable!("checked when the column was made")
                };
                let inner =
                    StructArray::new(fields.clone(), vec![key.finish(), value.finish()], None);
                Arc::new(MapArray::new(
                    Arc::clone(entries),
                    finish_offsets(offsets),
                    inner,
                    valid.finish(),
                    false,
                ))
            }
        }
    }
}
