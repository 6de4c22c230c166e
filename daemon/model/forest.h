// Boosted trees as plain arrays, walked by ourselves: 0.2 to 0.3 µs a row where the library takes 33 (models.md), and
// no stored bytes ever reach the library's loader. Trees are filled up to full depth: the children of node i are 2i+1,
// 2i+2. Read from XGBoost's JSON, checked whole. Errors: core::Fault for text that is no such forest. Threads: does not
// change.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tellerd::model {

inline constexpr int kTreeDepthMax = 6;

class Forest {
 public:
  Forest() = default;
  // `columns` names the place in a row of each of the model's features; a tree that asks for another is refused.
  Forest(std::string_view xgboost_json, std::span<const int> columns);

  // Sum of the leaves and the base, in single precision and in the order of the trees, as XGBoost adds them up.
  float margin(std::span<const float> row) const noexcept;
  // Exact Shapley values of the margin by column (path dependent, as TreeSHAP's); `into` has a place a column.
  // They and expected_margin() add up to the margin.
  void contributions(std::span<const float> row, std::span<double> into) const noexcept;
  double expected_margin() const noexcept { return expected_; }

  std::size_t trees() const noexcept { return trees_.size(); }
  int depth() const noexcept { return depth_; }

 private:
  struct Node {
    float threshold = 0;  // a row goes right unless it is less
    std::int32_t feature = 0;
  };
  struct Condition {  // of a leaf: which way its tree's nodes of one feature have to send a row; `share` of the rows go
    std::int32_t feature;
    std::uint64_t right, left;  // by place in the full tree
    double share;
    bool holds(std::uint64_t sent_right) const noexcept {
      return (sent_right & right) == right && (sent_right & left) == 0;
    }
  };
  struct Leaf {
    float value;
    std::uint32_t first, count;  // conditions, one a feature
    std::uint32_t table;         // in parts_, where count is at most kTabledMax
  };
  struct Tree {
    std::uint32_t first_leaf, first_feature, features;
    std::size_t sums;  // in sums_
  };
  struct Source;

  void add_tree(const Source& tree);
  void fill(const Source& tree, int from, std::size_t at, int depth, std::size_t nodes, std::size_t leaves);
  void gather(const Source& tree, int from, std::size_t at, const std::vector<Condition>& path);
  void add_leaf(float value, const std::vector<Condition>& path);
  double part_of(const Leaf& leaf, std::size_t one, std::size_t held) const noexcept;
  void sum_up(Tree& tree);
  std::uint64_t sent_right(std::size_t tree, std::span<const float> row) const noexcept;
  template <class Into>
  void add_leaves(std::size_t first, std::size_t end, std::uint64_t sent_right, const Into& into) const noexcept;

  int depth_ = 0;
  float base_ = 0;
  double expected_ = 0;
  std::vector<Node> nodes_;    // (2^depth - 1) a tree
  std::vector<float> leaves_;  // 2^depth a tree
  std::vector<Tree> trees_;
  std::vector<Leaf> shapley_;  // the trees' real leaves
  std::vector<Condition> conditions_;
  std::vector<double> parts_;           // of a leaf: for each set of conditions that hold, what each of them gives
  bool is_summed_ = false;              // trees are few and shallow, and each is summed up beforehand:
  std::vector<std::int32_t> features_;  // those of a tree
  std::vector<double> sums_;            // for each way its nodes can send a row, what each feature gives
};

}  // namespace tellerd::model
