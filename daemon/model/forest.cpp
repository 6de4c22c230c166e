#include "model/forest.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/fault.h"
#include "model/steady_math.h"

namespace tellerd::model {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kTreesMax = 10'000;
constexpr float kInfinite = std::numeric_limits<float>::infinity();
constexpr std::size_t kTabledMax = 4;  // conditions of a leaf: 64 numbers, half a kilobyte
// Of trees that are summed up beforehand: 128 ways through seven nodes are 7 KB a tree, of which a row reads 56 bytes.
constexpr int kSummedDepthMax = 3;
constexpr std::size_t kSummedTreesMax = 512;

[[noreturn]] void refuse(const std::string& why) {
  throw core::Fault(core::Exit::kFailed, "this is no usable model: " + why);
}

}  // namespace

// One tree as XGBoost writes it, checked: every child comes after its parent, every number is finite.
struct Forest::Source {
  std::vector<int> left, right, feature;
  std::vector<float> condition;  // threshold, or a leaf's value
  std::vector<double> cover;

  Source(const Json& tree, std::span<const int> columns) {
    left = tree.at("left_children").get<std::vector<int>>();
    right = tree.at("right_children").get<std::vector<int>>();
    feature = tree.at("split_indices").get<std::vector<int>>();
    condition = tree.at("split_conditions").get<std::vector<float>>();
    cover = tree.at("sum_hessian").get<std::vector<double>>();
    const std::size_t nodes = left.size();
    if (nodes == 0 || right.size() != nodes || feature.size() != nodes || condition.size() != nodes ||
        cover.size() != nodes)
      refuse("a tree's lists differ in length");
    for (std::size_t at = 0; at < nodes; ++at) {
      if (!std::isfinite(condition[at]) || !std::isfinite(cover[at]) || cover[at] < 0)
        refuse("a number in a tree is not finite");
      if (is_leaf(static_cast<int>(at))) continue;
      const auto is_after = [&](int child) {
        return child > static_cast<int>(at) && static_cast<std::size_t>(child) < nodes;
      };
      if (!is_after(left[at]) || !is_after(right[at]) || left[at] == right[at])
        refuse("a tree's nodes do not form a tree");
      if (feature[at] < 0 || static_cast<std::size_t>(feature[at]) >= columns.size())
        refuse("a tree asks for a feature that is not there");
      feature[at] = columns[static_cast<std::size_t>(feature[at])];
    }
  }
  bool is_leaf(int at) const { return left[static_cast<std::size_t>(at)] == -1; }
  int depth(int at, int level) const {
    if (level > kTreeDepthMax) refuse(fmt::format("a tree is deeper than {}", kTreeDepthMax));
    if (is_leaf(at)) return level;
    return std::max(depth(left[static_cast<std::size_t>(at)], level + 1),
                    depth(right[static_cast<std::size_t>(at)], level + 1));
  }
};

Forest::Forest(std::string_view xgboost_json, std::span<const int> columns) {
  try {
    const Json document = Json::parse(xgboost_json);
    const Json& learner = document.at("learner");
    if (learner.at("objective").at("name") != "binary:logistic") refuse("its objective is not binary:logistic");
    if (std::stoull(learner.at("learner_model_param").at("num_feature").get<std::string>()) != columns.size())
      refuse("it was made for other features");
    const float base = std::stof(learner.at("learner_model_param").at("base_score").get<std::string>());
    if (!(base > 0 && base < 1)) refuse("its base score is no probability");
    base_ = static_cast<float>(-steady_log(static_cast<double>(1.0f / base - 1.0f)));
    std::vector<Source> sources;
    const Json& trees = learner.at("gradient_booster").at("model").at("trees");
    if (trees.empty() || trees.size() > kTreesMax) refuse("it has no trees, or too many");
    for (const Json& tree : trees) sources.emplace_back(tree, columns);
    for (const auto& source : sources) depth_ = std::max(depth_, source.depth(0, 0));
    expected_ = static_cast<double>(base_);
    is_summed_ = depth_ <= kSummedDepthMax && sources.size() <= kSummedTreesMax;
    for (const auto& source : sources) add_tree(source);
  } catch (const Json::exception& wrong) {
    refuse(wrong.what());
  } catch (const std::logic_error& wrong) {  // a number that is none
    refuse(wrong.what());
  }
}

void Forest::add_tree(const Source& tree) {
  const std::size_t inner = (std::size_t{1} << depth_) - 1, nodes = nodes_.size(), leaves = leaves_.size();
  nodes_.resize(nodes + inner);
  leaves_.resize(leaves + inner + 1);
  fill(tree, 0, 0, 0, nodes, leaves);
  trees_.push_back({static_cast<std::uint32_t>(shapley_.size()), 0, 0, 0});
  gather(tree, 0, 0, {});
  if (is_summed_) sum_up(trees_.back());
}

// The tree's node `from` at place `at` of the full tree; a leaf fills all places under it.
void Forest::fill(const Source& tree, int from, std::size_t at, int depth, std::size_t nodes, std::size_t leaves) {
  const auto node = static_cast<std::size_t>(from);
  if (depth == depth_) {
    leaves_[leaves + at - ((std::size_t{1} << depth_) - 1)] = tree.condition[node];
    return;
  }
  const bool is_leaf = tree.is_leaf(from);
  nodes_[nodes + at] = is_leaf ? Node{kInfinite, 0} : Node{tree.condition[node], tree.feature[node]};
  fill(tree, is_leaf ? from : tree.left[node], 2 * at + 1, depth + 1, nodes, leaves);
  fill(tree, is_leaf ? from : tree.right[node], 2 * at + 2, depth + 1, nodes, leaves);
}

// Leaves with the conditions on the way to them, those of one feature joined.
void Forest::gather(const Source& tree, int from, std::size_t at, const std::vector<Condition>& path) {
  const auto node = static_cast<std::size_t>(from);
  if (tree.is_leaf(from)) return add_leaf(tree.condition[node], path);
  for (const int child : {tree.left[node], tree.right[node]}) {
    const double share = tree.cover[node] > 0 ? tree.cover[static_cast<std::size_t>(child)] / tree.cover[node] : 0.5;
    std::vector<Condition> longer = path;
    auto same = std::find_if(longer.begin(), longer.end(),
                             [&](const Condition& one) { return one.feature == tree.feature[node]; });
    if (same == longer.end()) same = longer.insert(longer.end(), {tree.feature[node], 0, 0, 1});
    same->share *= share;
    const bool is_left = child == tree.left[node];
    (is_left ? same->left : same->right) |= std::uint64_t{1} << at;
    gather(tree, child, 2 * at + (is_left ? 1 : 2), longer);
  }
}

namespace {

// The depth is known to the compiler, so that trees are walked side by side.
template <int depth, class Node>
float walked(const float* row, const Node* nodes, const float* leaves, std::size_t trees, float sum) noexcept {
  constexpr std::size_t kInner = (std::size_t{1} << depth) - 1;
  for (; trees > 0; --trees, nodes += kInner, leaves += kInner + 1) {
    std::size_t at = 0;
    for (int level = 0; level < depth; ++level) at = 2 * at + 1 + !(row[nodes[at].feature] < nodes[at].threshold);
    sum += leaves[at - kInner];
  }
  return sum;
}

}  // namespace

float Forest::margin(std::span<const float> row) const noexcept {
  const Node* nodes = nodes_.data();
  const float* leaves = leaves_.data();
  switch (depth_) {
    case 0:
      return walked<0>(row.data(), nodes, leaves, trees(), base_);
    case 1:
      return walked<1>(row.data(), nodes, leaves, trees(), base_);
    case 2:
      return walked<2>(row.data(), nodes, leaves, trees(), base_);
    case 3:
      return walked<3>(row.data(), nodes, leaves, trees(), base_);
    case 4:
      return walked<4>(row.data(), nodes, leaves, trees(), base_);
    case 5:
      return walked<5>(row.data(), nodes, leaves, trees(), base_);
    default:
      return walked<kTreeDepthMax>(row.data(), nodes, leaves, trees(), base_);
  }
}

void Forest::add_leaf(float value, const std::vector<Condition>& path) {
  double share = 1;
  for (const auto& condition : path) share *= condition.share;
  expected_ += share * static_cast<double>(value);
  const Leaf leaf{value, static_cast<std::uint32_t>(conditions_.size()), static_cast<std::uint32_t>(path.size()),
                  static_cast<std::uint32_t>(parts_.size())};
  shapley_.push_back(leaf);
  conditions_.insert(conditions_.end(), path.begin(), path.end());
  if (is_summed_ || leaf.count > kTabledMax) return;
  for (std::size_t held = 0; held < std::size_t{1} << leaf.count; ++held)
    for (std::size_t one = 0; one < leaf.count; ++one) parts_.push_back(part_of(leaf, one, held));
}

// What one condition of a leaf gives where those of `held` hold. A leaf gives its value in proportion to how many of
// its conditions are known to hold: over all orders in which features become known, a condition that holds raises the
// chance of the leaf from its share to 1 (Lundberg 2018).
double Forest::part_of(const Leaf& leaf, std::size_t one, std::size_t held) const noexcept {
  static constexpr std::array<double, kTreeDepthMax + 1> kFactorial = {1, 1, 2, 6, 24, 120, 720};
  const Condition* conditions = &conditions_[leaf.first];
  const std::size_t count = leaf.count;
  double mean = 0;
  for (std::size_t known = 0; known < std::size_t{1} << count; ++known) {
    if (known >> one & 1) continue;
    double chance = 1;
    std::size_t size = 0;
    for (std::size_t other = 0; other < count; ++other) {
      if (other == one) continue;
      const bool is_known = known >> other & 1;
      size += is_known;
      chance *= is_known ? static_cast<double>(held >> other & 1) : conditions[other].share;
    }
    mean += chance * kFactorial[size] * kFactorial[count - size - 1] / kFactorial[count];
  }
  return static_cast<double>(leaf.value) * (static_cast<double>(held >> one & 1) - conditions[one].share) * mean;
}

// What the leaves give where the nodes send a row that way: into(feature, how much).
template <class Into>
void Forest::add_leaves(std::size_t first, std::size_t end, std::uint64_t sent_right, const Into& into) const noexcept {
  for (std::size_t at = first; at < end; ++at) {
    const Leaf& leaf = shapley_[at];
    const Condition* conditions = &conditions_[leaf.first];
    std::size_t held = 0;
    for (std::size_t one = 0; one < leaf.count; ++one)
      held |= static_cast<std::size_t>(conditions[one].holds(sent_right)) << one;
    const bool is_tabled = !is_summed_ && leaf.count <= kTabledMax;
    for (std::size_t one = 0; one < leaf.count; ++one)
      into(conditions[one].feature,
           is_tabled ? parts_[leaf.table + held * leaf.count + one] : part_of(leaf, one, held));
  }
}

// The newest tree, summed up for each way its nodes can send a row.
void Forest::sum_up(Tree& tree) {
  tree.first_feature = static_cast<std::uint32_t>(features_.size());
  tree.sums = sums_.size();
  for (std::size_t leaf = tree.first_leaf; leaf < shapley_.size(); ++leaf)
    for (std::size_t one = 0; one < shapley_[leaf].count; ++one) {
      const std::int32_t feature = conditions_[shapley_[leaf].first + one].feature;
      if (std::find(features_.begin() + tree.first_feature, features_.end(), feature) == features_.end())
        features_.push_back(feature);
    }
  tree.features = static_cast<std::uint32_t>(features_.size()) - tree.first_feature;
  const std::uint64_t ways = std::uint64_t{1} << ((std::size_t{1} << depth_) - 1);
  sums_.resize(sums_.size() + ways * tree.features);
  for (std::uint64_t way = 0; way < ways; ++way)
    add_leaves(tree.first_leaf, shapley_.size(), way, [&](std::int32_t feature, double part) {
      const auto place = std::find(features_.begin() + tree.first_feature, features_.end(), feature) -
                         (features_.begin() + tree.first_feature);
      sums_[tree.sums + way * tree.features + static_cast<std::size_t>(place)] += part;
    });
}

// Of a tree's nodes, by their places.
std::uint64_t Forest::sent_right(std::size_t tree, std::span<const float> row) const noexcept {
  const std::size_t inner = (std::size_t{1} << depth_) - 1;
  const Node* nodes = nodes_.data() + tree * inner;
  std::uint64_t sent = 0;
  for (std::size_t at = 0; at < inner; ++at)
    sent |= std::uint64_t{!(row[static_cast<std::size_t>(nodes[at].feature)] < nodes[at].threshold)} << at;
  return sent;
}

void Forest::contributions(std::span<const float> row, std::span<double> into) const noexcept {
  std::fill(into.begin(), into.end(), 0.0);
  for (std::size_t at = 0; at < trees_.size(); ++at) {
    const Tree& tree = trees_[at];
    const std::uint64_t sent = sent_right(at, row);
    if (is_summed_) {
      const double* sums = &sums_[tree.sums + sent * tree.features];
      const std::int32_t* features = &features_[tree.first_feature];
      for (std::size_t one = 0; one < tree.features; ++one) into[static_cast<std::size_t>(features[one])] += sums[one];
      continue;
    }
    add_leaves(tree.first_leaf, at + 1 < trees_.size() ? trees_[at + 1].first_leaf : shapley_.size(), sent,
               [&](std::int32_t feature, double part) { into[static_cast<std::size_t>(feature)] += part; });
  }
}

}  // namespace tellerd::model
