//! Expressions: what a column is made of.

#![expect(missing_docs, reason = "the public protocol documents its fields, under the same names")]

use bytes::Bytes;

use super::*;

/// Message `spark.connect.CommonInlineUserDefinedFunction`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CommonInlineUserDefinedFunction {
    #[prost(string, tag = "1")]
    pub function_name: String,
    #[prost(bool, tag = "2")]
    pub deterministic: bool,
    #[prost(message, repeated, tag = "3")]
    pub arguments: Vec<Expression>,
    #[prost(oneof = "CommonInlineUserDefinedFunctionFunction", tags = "4, 5, 6")]
    pub function: Option<CommonInlineUserDefinedFunctionFunction>,
    #[prost(bool, tag = "7")]
    pub is_distinct: bool,
}

/// The kinds of `CommonInlineUserDefinedFunction` (`function`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum CommonInlineUserDefinedFunctionFunction {
    #[prost(message, tag = "4")]
    PythonUdf(Opaque),
    #[prost(message, tag = "5")]
    ScalarScalaUdf(Opaque),
    #[prost(message, tag = "6")]
    JavaUdf(Opaque),
}

/// Message `spark.connect.Expression`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Expression {
    #[prost(
        oneof = "ExprType",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 999"
    )]
    pub expr_type: Option<ExprType>,
}

/// The kinds of `Expression` (`expr_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum ExprType {
    #[prost(message, tag = "1")]
    Literal(Literal),
    #[prost(message, tag = "2")]
    UnresolvedAttribute(UnresolvedAttribute),
    #[prost(message, tag = "3")]
    UnresolvedFunction(UnresolvedFunction),
    #[prost(message, tag = "4")]
    ExpressionString(ExpressionString),
    #[prost(message, tag = "5")]
    UnresolvedStar(UnresolvedStar),
    #[prost(message, tag = "6")]
    Alias(Box<Alias>),
    #[prost(message, tag = "7")]
    Cast(Box<Cast>),
    #[prost(message, tag = "8")]
    UnresolvedRegex(UnresolvedRegex),
    #[prost(message, tag = "9")]
    SortOrder(Box<SortOrder>),
    #[prost(message, tag = "10")]
    LambdaFunction(Box<LambdaFunction>),
    #[prost(message, tag = "11")]
    Window(Box<Window>),
    #[prost(message, tag = "12")]
    UnresolvedExtractValue(Box<UnresolvedExtractValue>),
    #[prost(message, tag = "13")]
    UpdateFields(Box<UpdateFields>),
    #[prost(message, tag = "14")]
    UnresolvedNamedLambdaVariable(UnresolvedNamedLambdaVariable),
    #[prost(message, tag = "15")]
    CommonInlineUserDefinedFunction(CommonInlineUserDefinedFunction),
    #[prost(message, tag = "16")]
    CallFunction(CallFunction),
    #[prost(message, tag = "17")]
    NamedArgumentExpression(Box<NamedArgumentExpression>),
    #[prost(message, tag = "19")]
    MergeAction(Opaque),
    #[prost(message, tag = "20")]
    TypedAggregateExpression(Opaque),
    #[prost(message, tag = "21")]
    SubqueryExpression(SubqueryExpression),
    #[prost(message, tag = "22")]
    DirectShufflePartitionId(Opaque),
    #[prost(message, tag = "999")]
    Extension(Opaque),
}

impl ExprType {
    /// The protocol's name of the kind, for errors.
    pub fn name(&self) -> &'static str {
        match self {
            ExprType::Literal(_) => "literal",
            ExprType::UnresolvedAttribute(_) => "unresolved_attribute",
            ExprType::UnresolvedFunction(_) => "unresolved_function",
            ExprType::ExpressionString(_) => "expression_string",
            ExprType::UnresolvedStar(_) => "unresolved_star",
            ExprType::Alias(_) => "alias",
            ExprType::Cast(_) => "cast",
            ExprType::UnresolvedRegex(_) => "unresolved_regex",
            ExprType::SortOrder(_) => "sort_order",
            ExprType::LambdaFunction(_) => "lambda_function",
            ExprType::Window(_) => "window",
            ExprType::UnresolvedExtractValue(_) => "unresolved_extract_value",
            ExprType::UpdateFields(_) => "update_fields",
            ExprType::UnresolvedNamedLambdaVariable(_) => "unresolved_named_lambda_variable",
            ExprType::CommonInlineUserDefinedFunction(_) => "common_inline_user_defined_function",
            ExprType::CallFunction(_) => "call_function",
            ExprType::NamedArgumentExpression(_) => "named_argument_expression",
            ExprType::MergeAction(_) => "merge_action",
            ExprType::TypedAggregateExpression(_) => "typed_aggregate_expression",
            ExprType::SubqueryExpression(_) => "subquery_expression",
            ExprType::DirectShufflePartitionId(_) => "direct_shuffle_partition_id",
            ExprType::Extension(_) => "extension",
        }
    }
}

/// Message `spark.connect.Expression.SortOrder`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SortOrder {
    #[prost(message, optional, boxed, tag = "1")]
    pub child: Option<Box<Expression>>,
    #[prost(enumeration = "SortDirection", tag = "2")]
    pub direction: i32,
    #[prost(enumeration = "NullOrdering", tag = "3")]
    pub null_ordering: i32,
}

/// Message `spark.connect.Expression.Literal`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Literal {
    #[prost(
        oneof = "LiteralType",
        tags = "1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26"
    )]
    pub literal_type: Option<LiteralType>,
}

/// The kinds of `Expression.Literal` (`literal_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum LiteralType {
    #[prost(message, tag = "1")]
    Null(DataType),
    #[prost(bytes = "bytes", tag = "2")]
    Binary(Bytes),
    #[prost(bool, tag = "3")]
    Boolean(bool),
    #[prost(int32, tag = "4")]
    Byte(i32),
    #[prost(int32, tag = "5")]
    Short(i32),
    #[prost(int32, tag = "6")]
    Integer(i32),
    #[prost(int64, tag = "7")]
    Long(i64),
    #[prost(float, tag = "10")]
    Float(f32),
    #[prost(double, tag = "11")]
    Double(f64),
    #[prost(message, tag = "12")]
    Decimal(LiteralDecimal),
    #[prost(string, tag = "13")]
    String(String),
    #[prost(int32, tag = "16")]
    Date(i32),
    #[prost(int64, tag = "17")]
    Timestamp(i64),
    #[prost(int64, tag = "18")]
    TimestampNtz(i64),
    #[prost(message, tag = "19")]
    CalendarInterval(LiteralCalendarInterval),
    #[prost(int32, tag = "20")]
    YearMonthInterval(i32),
    #[prost(int64, tag = "21")]
    DayTimeInterval(i64),
    #[prost(message, tag = "22")]
    Array(LiteralArray),
    #[prost(message, tag = "23")]
    Map(LiteralMap),
    #[prost(message, tag = "24")]
    Struct(LiteralStruct),
    #[prost(message, tag = "25")]
    SpecializedArray(LiteralSpecializedArray),
    #[prost(message, tag = "26")]
    Time(LiteralTime),
}

/// Message `spark.connect.Expression.Alias`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Alias {
    #[prost(message, optional, boxed, tag = "1")]
    pub expr: Option<Box<Expression>>,
    #[prost(string, repeated, tag = "2")]
    pub name: Vec<String>,
    #[prost(string, optional, tag = "3")]
    pub metadata: Option<String>,
}

/// Message `spark.connect.Expression.UnresolvedAttribute`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct UnresolvedAttribute {
    #[prost(string, tag = "1")]
    pub unparsed_identifier: String,
    #[prost(int64, optional, tag = "2")]
    pub plan_id: Option<i64>,
    #[prost(bool, optional, tag = "3")]
    pub is_metadata_column: Option<bool>,
}

/// Message `spark.connect.Expression.UnresolvedFunction`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct UnresolvedFunction {
    #[prost(string, tag = "1")]
    pub function_name: String,
    #[prost(message, repeated, tag = "2")]
    pub arguments: Vec<Expression>,
    #[prost(bool, tag = "3")]
    pub is_distinct: bool,
    #[prost(bool, tag = "4")]
    pub is_user_defined_function: bool,
    #[prost(bool, optional, tag = "5")]
    pub is_internal: Option<bool>,
}

/// Message `spark.connect.Expression.ExpressionString`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ExpressionString {
    #[prost(string, tag = "1")]
    pub expression: String,
}

/// Message `spark.connect.Expression.UnresolvedStar`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct UnresolvedStar {
    #[prost(string, optional, tag = "1")]
    pub unparsed_target: Option<String>,
    #[prost(int64, optional, tag = "2")]
    pub plan_id: Option<i64>,
}

/// Message `spark.connect.Expression.Cast`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Cast {
    #[prost(message, optional, boxed, tag = "1")]
    pub expr: Option<Box<Expression>>,
    #[prost(oneof = "CastToType", tags = "2, 3")]
    pub cast_to_type: Option<CastToType>,
    #[prost(enumeration = "EvalMode", tag = "4")]
    pub eval_mode: i32,
}

/// The kinds of `Expression.Cast` (`cast_to_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum CastToType {
    #[prost(message, tag = "2")]
    Type(DataType),
    #[prost(string, tag = "3")]
    TypeStr(String),
}

/// Message `spark.connect.Expression.UnresolvedRegex`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct UnresolvedRegex {
    #[prost(string, tag = "1")]
    pub col_name: String,
    #[prost(int64, optional, tag = "2")]
    pub plan_id: Option<i64>,
}

/// Message `spark.connect.Expression.LambdaFunction`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LambdaFunction {
    #[prost(message, optional, boxed, tag = "1")]
    pub function: Option<Box<Expression>>,
    #[prost(message, repeated, tag = "2")]
    pub arguments: Vec<UnresolvedNamedLambdaVariable>,
}

/// Message `spark.connect.Expression.Window`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Window {
    #[prost(message, optional, boxed, tag = "1")]
    pub window_function: Option<Box<Expression>>,
    #[prost(message, repeated, tag = "2")]
    pub partition_spec: Vec<Expression>,
    #[prost(message, repeated, tag = "3")]
    pub order_spec: Vec<SortOrder>,
    #[prost(message, optional, boxed, tag = "4")]
    pub frame_spec: Option<Box<WindowFrame>>,
}

/// Message `spark.connect.Expression.UnresolvedExtractValue`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct UnresolvedExtractValue {
    #[prost(message, optional, boxed, tag = "1")]
    pub child: Option<Box<Expression>>,
    #[prost(message, optional, boxed, tag = "2")]
    pub extraction: Option<Box<Expression>>,
}

/// Message `spark.connect.Expression.UpdateFields`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct UpdateFields {
    #[prost(message, optional, boxed, tag = "1")]
    pub struct_expression: Option<Box<Expression>>,
    #[prost(string, tag = "2")]
    pub field_name: String,
    #[prost(message, optional, boxed, tag = "3")]
    pub value_expression: Option<Box<Expression>>,
}

/// Message `spark.connect.Expression.UnresolvedNamedLambdaVariable`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct UnresolvedNamedLambdaVariable {
    #[prost(string, repeated, tag = "1")]
    pub name_parts: Vec<String>,
}

/// Message `spark.connect.CallFunction`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CallFunction {
    #[prost(string, tag = "1")]
    pub function_name: String,
    #[prost(message, repeated, tag = "2")]
    pub arguments: Vec<Expression>,
}

/// Message `spark.connect.NamedArgumentExpression`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct NamedArgumentExpression {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(message, optional, boxed, tag = "2")]
    pub value: Option<Box<Expression>>,
}

/// Message `spark.connect.SubqueryExpression`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SubqueryExpression {
    #[prost(int64, tag = "1")]
    pub plan_id: i64,
    #[prost(enumeration = "SubqueryType", tag = "2")]
    pub subquery_type: i32,
    #[prost(message, optional, tag = "3")]
    pub table_arg_options: Option<SubqueryExpressionTableArgOptions>,
    #[prost(message, repeated, tag = "4")]
    pub in_subquery_values: Vec<Expression>,
}

/// Values of `spark.connect.Expression.SortOrder.SortDirection`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum SortDirection {
    Unspecified = 0,
    Ascending = 1,
    Descending = 2,
}

/// Values of `spark.connect.Expression.SortOrder.NullOrdering`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum NullOrdering {
    Unspecified = 0,
    First = 1,
    Last = 2,
}

/// Message `spark.connect.Expression.Literal.Decimal`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LiteralDecimal {
    #[prost(string, tag = "1")]
    pub value: String,
    #[prost(int32, optional, tag = "2")]
    pub precision: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    pub scale: Option<i32>,
}

/// Message `spark.connect.Expression.Literal.CalendarInterval`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LiteralCalendarInterval {
    #[prost(int32, tag = "1")]
    pub months: i32,
    #[prost(int32, tag = "2")]
    pub days: i32,
    #[prost(int64, tag = "3")]
    pub microseconds: i64,
}

/// Message `spark.connect.Expression.Literal.Array`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LiteralArray {
    #[prost(message, optional, tag = "1")]
    pub element_type: Option<DataType>,
    #[prost(message, repeated, tag = "2")]
    pub elements: Vec<Literal>,
}

/// Message `spark.connect.Expression.Literal.Map`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LiteralMap {
    #[prost(message, optional, tag = "1")]
    pub key_type: Option<DataType>,
    #[prost(message, optional, tag = "2")]
    pub value_type: Option<DataType>,
    #[prost(message, repeated, tag = "3")]
    pub keys: Vec<Literal>,
    #[prost(message, repeated, tag = "4")]
    pub values: Vec<Literal>,
}

/// Message `spark.connect.Expression.Literal.Struct`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LiteralStruct {
    #[prost(message, optional, tag = "1")]
    pub struct_type: Option<DataType>,
    #[prost(message, repeated, tag = "2")]
    pub elements: Vec<Literal>,
}

/// Message `spark.connect.Expression.Literal.SpecializedArray`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LiteralSpecializedArray {
    #[prost(oneof = "LiteralSpecializedArrayValueType", tags = "1, 2, 3, 4, 5, 6")]
    pub value_type: Option<LiteralSpecializedArrayValueType>,
}

/// The kinds of `Expression.Literal.SpecializedArray` (`value_type`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum LiteralSpecializedArrayValueType {
    #[prost(message, tag = "1")]
    Bools(Bools),
    #[prost(message, tag = "2")]
    Ints(Ints),
    #[prost(message, tag = "3")]
    Longs(Longs),
    #[prost(message, tag = "4")]
    Floats(Floats),
    #[prost(message, tag = "5")]
    Doubles(Doubles),
    #[prost(message, tag = "6")]
    Strings(Strings),
}

/// Message `spark.connect.Expression.Literal.Time`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LiteralTime {
    #[prost(int64, tag = "1")]
    pub nano: i64,
    #[prost(int32, optional, tag = "2")]
    pub precision: Option<i32>,
}

/// Values of `spark.connect.Expression.Cast.EvalMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum EvalMode {
    Unspecified = 0,
    Legacy = 1,
    Ansi = 2,
    Try = 3,
}

/// Message `spark.connect.Expression.Window.WindowFrame`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WindowFrame {
    #[prost(enumeration = "FrameType", tag = "1")]
    pub frame_type: i32,
    #[prost(message, optional, boxed, tag = "2")]
    pub lower: Option<Box<FrameBoundary>>,
    #[prost(message, optional, boxed, tag = "3")]
    pub upper: Option<Box<FrameBoundary>>,
}

/// Values of `spark.connect.SubqueryExpression.SubqueryType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum SubqueryType {
    Unknown = 0,
    Scalar = 1,
    Exists = 2,
    TableArg = 3,
    In = 4,
}

/// Message `spark.connect.SubqueryExpression.TableArgOptions`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SubqueryExpressionTableArgOptions {
    #[prost(message, repeated, tag = "1")]
    pub partition_spec: Vec<Expression>,
    #[prost(message, repeated, tag = "2")]
    pub order_spec: Vec<SortOrder>,
    #[prost(bool, optional, tag = "3")]
    pub with_single_partition: Option<bool>,
}

/// Values of `spark.connect.Expression.Window.WindowFrame.FrameType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum FrameType {
    Undefined = 0,
    Row = 1,
    Range = 2,
}

/// Message `spark.connect.Expression.Window.WindowFrame.FrameBoundary`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct FrameBoundary {
    #[prost(oneof = "FrameBoundaryKind", tags = "1, 2, 3")]
    pub boundary: Option<FrameBoundaryKind>,
}

/// The kinds of `Expression.Window.WindowFrame.FrameBoundary` (`boundary`).
#[derive(Clone, PartialEq, ::prost::Oneof)]
pub enum FrameBoundaryKind {
    #[prost(bool, tag = "1")]
    CurrentRow(bool),
    #[prost(bool, tag = "2")]
    Unbounded(bool),
    #[prost(message, tag = "3")]
    Value(Box<Expression>),
}
