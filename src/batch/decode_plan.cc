#include "batch/decode_plan.h"

#include <algorithm>
#include <map>

#include "batch/cell_limits.h"

namespace yarrow::batch {
namespace {

class PlanMaker {
 public:
  PlanMaker(const RowSchema& schema, const RowSchema::Version& version, DecodePlan* plan)
      : schema_(schema), version_(version), plan_(plan) {}

  arrow::Status Add(uint32_t output, int column) {
    const RowSchema::Place place = version_.places[static_cast<size_t>(column)];
    const RowColumn& definition = schema_.columns()[static_cast<size_t>(column)];
    DecodePlan::Column made{DecodePlan::Place::kField, definition.type, definition.type, ColumnOp()};
    SetLimits(made.type, &made.op);
    made.op.output = output;
    switch (place.kind) {
      case RowSchema::Place::kField:
        PlaceField(definition, static_cast<size_t>(place.index), &made);
        break;
      case RowSchema::Place::kKeyPart:
        PlaceKeyPart(static_cast<size_t>(place.index), &made);
        break;
      case RowSchema::Place::kDefault:
        ARROW_RETURN_NOT_OK(PlaceDefault(definition, &made));
        break;
    }
    plan_->columns.push_back(std::move(made));
    return arrow::Status::OK();
  }

  void Finish() {
    const int32_t fixed = schema_.key_codec().fixed_size();
    if (plan_->locates_key) {
      plan_->key_size = schema_.key_prefix_size();
    } else if (fixed >= 0 && plan_->key_size > 0) {
      plan_->key_size = schema_.key_prefix_size() + static_cast<size_t>(fixed);
      plan_->key_size_is_exact = true;
    }
    for (const auto& [offset, mask] : null_masks_) plan_->null_bytes.push_back({offset, mask});
    const auto rank = [](const DecodePlan::Column& c) {
      const bool in_key = c.place == DecodePlan::Place::kKey || c.place == DecodePlan::Place::kLocatedKey;
      const int region = in_key ? 0 : c.place == DecodePlan::Place::kConstant ? 3 : c.type.is_variable() ? 2 : 1;
      return std::tuple(region, c.op.index, c.op.offset);
    };
    std::stable_sort(plan_->columns.begin(), plan_->columns.end(),
                     [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  }

 private:
  void PlaceField(const RowColumn& definition, size_t field, DecodePlan::Column* made) {
    const RowLayout& layout = version_.layout;
    made->place = DecodePlan::Place::kField;
    made->stored = layout.type(field);
    SetLimits(made->stored, &made->op);
    if (layout.is_variable(field)) {
      made->op.index = layout.variable_index(field);
      plan_->reads_text = true;
    } else {
      made->op.offset = layout.fixed_offset(field);
      plan_->fixed_bytes += static_cast<uint64_t>(made->stored.fixed_width());
    }
    const auto byte = static_cast<uint32_t>(kRowHeaderSize + field / 8);
    const auto mask = static_cast<uint8_t>(1U << (field % 8));
    null_masks_[byte] |= mask;
    plan_->null_bits.push_back({byte, mask, definition.nullable, made->op.output});
  }

  void PlaceKeyPart(size_t part, DecodePlan::Column* made) {
    const int32_t fixed_offset = schema_.key_codec().fixed_offset(part);
    const auto prefix = static_cast<uint32_t>(schema_.key_prefix_size());
    const int width = made->type.fixed_width();
    made->op.index = static_cast<uint32_t>(part);
    plan_->fixed_bytes += static_cast<uint64_t>(width);
    if (fixed_offset < 0) {
      made->place = DecodePlan::Place::kLocatedKey;
      made->op.offset = prefix;
      plan_->locates_key = true;
      return;
    }
    made->place = DecodePlan::Place::kKey;
    made->op.offset = prefix + static_cast<uint32_t>(fixed_offset);
    const size_t least = width > 0 ? static_cast<size_t>(width) : 1;  // of text: its terminator
    plan_->key_size = std::max(plan_->key_size, static_cast<size_t>(made->op.offset) + least);
  }

  // A row of one field has the default's bytes in the form that field readers want.
  arrow::Status PlaceDefault(const RowColumn& definition, DecodePlan::Column* made) {
    made->place = DecodePlan::Place::kConstant;
    ARROW_ASSIGN_OR_RAISE(const RowLayout layout, RowLayout::Make(0, {definition.type}));
    RowWriter writer(&layout);
    writer.Reset();
    const Value& value = definition.older_value();
    if (value.is_null()) {
      plan_->null_outputs.push_back(made->op.output);
    } else {
      ARROW_RETURN_NOT_OK(writer.Set(0, value));
    }
    std::string row;
    ARROW_RETURN_NOT_OK(writer.Finish(false, &row));
    const size_t start =
        definition.type.is_variable() ? layout.min_size(static_cast<uint8_t>(row[1])) : layout.fixed_offset(0);
    plan_->constants.push_back(std::make_unique<std::string>(row.substr(start)));
    made->op.constant = reinterpret_cast<const uint8_t*>(plan_->constants.back()->data());
    made->op.constant_size = static_cast<uint32_t>(plan_->constants.back()->size());
    return arrow::Status::OK();
  }

  const RowSchema& schema_;
  const RowSchema::Version& version_;
  DecodePlan* plan_;
  std::map<uint32_t, uint8_t> null_masks_;
};

bool IsNullColumn(const RowSchema& schema, const RowSchema::Version& version, std::string_view row, size_t column) {
  const RowSchema::Place place = version.places[column];
  return place.kind == RowSchema::Place::kField && !schema.columns()[column].nullable &&
         IsNullField(row, static_cast<size_t>(place.index));
}

}  // namespace

arrow::Result<std::unique_ptr<DecodePlan>> DecodePlan::Make(const RowSchema& schema, const RowSchema::Version& version,
                                                            const std::vector<int>& columns) {
  auto plan = std::make_unique<DecodePlan>();
  plan->version = &version;
  PlanMaker maker(schema, version, plan.get());
  for (size_t output = 0; output < columns.size(); ++output) {
    ARROW_RETURN_NOT_OK(maker.Add(static_cast<uint32_t>(output), columns[output]));
  }
  maker.Finish();
  return plan;
}

arrow::Status UnknownVersion(const RowSchema& schema, std::string_view key, uint32_t version) {
  return arrow::Status::Invalid("table ", schema.table_name(), ", ", schema.DescribeKey(key),
                                ": the row has schema version ", version,
                                ", which this definition of the table does not know (its newest is ",
                                schema.current().layout.schema_version(), "): if the table was altered, open it again");
}

arrow::Status DamagedRow(const RowSchema& schema, std::string_view key, int column, std::string_view problem) {
  const std::string name = column < 0 ? "" : ", column " + schema.columns()[static_cast<size_t>(column)].name;
  return arrow::Status::Invalid("table ", schema.table_name(), name, ", ", schema.DescribeKey(key),
                                ": damaged row: ", problem);
}

arrow::Status DamagedRow(const RowSchema& schema, const RowSchema::Version& version, std::string_view key,
                         std::string_view row, int column) {
  const arrow::Status problem = ValidateRow(version.layout, row);
  if (!problem.ok()) return DamagedRow(schema, key, column, problem.message());
  if (column >= 0 && IsNullColumn(schema, version, row, static_cast<size_t>(column))) {
    return DamagedRow(schema, key, column, "NULL in a column that is NOT NULL");
  }
  const std::string type = column < 0 ? "its" : schema.columns()[static_cast<size_t>(column)].type.ToString();
  return DamagedRow(schema, key, column, "the bytes are no value of type " + type);
}

}  // namespace yarrow::batch
