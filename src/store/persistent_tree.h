// PersistentTree: a sorted set that is never changed: one with a value more or less shares all nodes but those on the
// way to that value with the one that it was made from.
//
// A balanced (AVL) binary tree with path copying (Driscoll et al., "Making data structures persistent"). So a version
// costs the logarithm of the values, whoever holds older ones.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

namespace yarrow {

// `Traits` has
//   static int Compare(const Value& a, const Value& b)       below 0, 0 or above; also for whatever Find is asked with
//   using Summary, and
//   static Summary Summarize(const Value& value, const Summary* left, const Summary* right)    of a node with those
//                                                                                              below it (null: none)
// Immutable, thread-safe; copies share everything.
template <class Value, class Traits>
class PersistentTree {
 public:
  using Summary = typename Traits::Summary;

  struct Node {
    Node(Value of, std::shared_ptr<const Node> below, std::shared_ptr<const Node> above)
        : value(std::move(of)),
          left(std::move(below)),
          right(std::move(above)),
          height(1 + std::max(HeightOf(left), HeightOf(right))),
          summary(Traits::Summarize(value, left ? &left->summary : nullptr, right ? &right->summary : nullptr)) {}

    const Value value;
    const std::shared_ptr<const Node> left;
    const std::shared_ptr<const Node> right;
    const int height;
    const Summary summary;
  };

  bool empty() const { return root_ == nullptr; }
  const Node* root() const { return root_.get(); }  // null when it is empty

  // Null when there is none.
  template <class Key>
  const Value* Find(const Key& key) const {
    const Node* node = root_.get();
    while (node != nullptr) {
      const int order = Traits::Compare(key, node->value);
      if (order == 0) return &node->value;
      node = (order < 0 ? node->left : node->right).get();
    }
    return nullptr;
  }
  // In order.
  template <class Use>
  void ForEach(const Use& use) const {
    ForEachOf(root_.get(), use);
  }

  // An equal one is replaced.
  PersistentTree With(Value value) const { return PersistentTree(Insert(root_, std::move(value))); }
  // The same tree when it is not there.
  template <class Key>
  PersistentTree Without(const Key& key) const {
    return PersistentTree(Remove(root_, key));
  }

  PersistentTree() = default;

 private:
  using NodePtr = std::shared_ptr<const Node>;

  explicit PersistentTree(NodePtr root) : root_(std::move(root)) {}

  static int HeightOf(const NodePtr& node) { return node ? node->height : 0; }

  template <class Use>
  static void ForEachOf(const Node* node, const Use& use) {
    if (node == nullptr) return;
    ForEachOf(node->left.get(), use);
    use(node->value);
    ForEachOf(node->right.get(), use);
  }

  static NodePtr Make(const Value& value, const NodePtr& left, const NodePtr& right) {
    return std::make_shared<const Node>(value, left, right);
  }

  // A tree of the two and the value between them, whose heights differ by two at most.
  static NodePtr Balance(const Value& value, const NodePtr& left, const NodePtr& right) {
    if (HeightOf(left) > HeightOf(right) + 1) {
      if (HeightOf(left->left) >= HeightOf(left->right)) {
        return Make(left->value, left->left, Make(value, left->right, right));
      }
      const Node& middle = *left->right;
      return Make(middle.value, Make(left->value, left->left, middle.left), Make(value, middle.right, right));
    }
    if (HeightOf(right) > HeightOf(left) + 1) {
      if (HeightOf(right->right) >= HeightOf(right->left)) {
        return Make(right->value, Make(value, left, right->left), right->right);
      }
      const Node& middle = *right->left;
      return Make(middle.value, Make(value, left, middle.left), Make(right->value, middle.right, right->right));
    }
    return Make(value, left, right);
  }

  static NodePtr Insert(const NodePtr& node, Value value) {
    if (!node) return std::make_shared<const Node>(std::move(value), nullptr, nullptr);
    const int order = Traits::Compare(value, node->value);
    if (order == 0) return std::make_shared<const Node>(std::move(value), node->left, node->right);
    if (order < 0) return Balance(node->value, Insert(node->left, std::move(value)), node->right);
    return Balance(node->value, node->left, Insert(node->right, std::move(value)));
  }

  static NodePtr RemoveFirst(const NodePtr& node, const Value** first) {
    if (node->left) return Balance(node->value, RemoveFirst(node->left, first), node->right);
    *first = &node->value;
    return node->right;
  }

  template <class Key>
  static NodePtr Remove(const NodePtr& node, const Key& key) {
    if (!node) return nullptr;
    const int order = Traits::Compare(key, node->value);
    if (order < 0) return Balance(node->value, Remove(node->left, key), node->right);
    if (order > 0) return Balance(node->value, node->left, Remove(node->right, key));
    if (!node->left) return node->right;
    if (!node->right) return node->left;
    const Value* next = nullptr;  // of the tree that this one is made from
    const NodePtr right = RemoveFirst(node->right, &next);
    return Balance(*next, node->left, right);
  }

  NodePtr root_;
};

}  // namespace yarrow
