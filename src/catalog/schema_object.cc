#include "catalog/schema_object.h"

namespace yarrow {

std::string_view ObjectKindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kView:
      return "view";
    case ObjectKind::kMacro:
      return "macro";
    case ObjectKind::kTableMacro:
      return "table macro";
    case ObjectKind::kType:
      return "type";
    case ObjectKind::kSequence:
      break;
  }
  return "sequence";
}

arrow::Result<ObjectKind> ParseObjectKind(std::string_view name) {
  for (const ObjectKind kind :
       {ObjectKind::kView, ObjectKind::kMacro, ObjectKind::kTableMacro, ObjectKind::kType, ObjectKind::kSequence}) {
    if (ObjectKindName(kind) == name) return kind;
  }
  return arrow::Status::Invalid("system.objects has an object of kind '", name,
                                "': was the database written by a newer version?");
}

std::string ObjectEntry::Description() const {
  return std::string(ObjectKindName(kind)) + " " + schema_name + "." + name;
}

}  // namespace yarrow
