// Our walk of the trees against the library's own predictions and contributions, and bytes that are no forest.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "core/fault.h"
#include "model/booster.h"
#include "model/forest.h"

using namespace tellerd;
using namespace tellerd::model;
using doctest::Approx;

namespace {

Matrix noisy_rows(std::size_t rows) {
  std::mt19937 chance(3);
  Matrix matrix;
  matrix.columns = 8;
  for (std::size_t at = 0; at < rows; ++at) {
    float sum = 0;
    for (std::size_t column = 0; column < matrix.columns; ++column) {
      const float value = column < 4 ? static_cast<float>(chance() % 2) : static_cast<float>(chance() % 1000) / 10;
      matrix.values.push_back(value);
      sum += column < 4 ? value * 20 : value;
    }
    matrix.labels.push_back(sum + static_cast<float>(chance() % 200) > 340);
  }
  return matrix;
}

std::vector<int> all_columns(const Matrix& matrix) {
  std::vector<int> columns(matrix.columns);
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

BoosterSettings deep() {
  BoosterSettings settings;
  settings.trees = 60;
  settings.depth = 5;
  settings.min_child_weight = 1;
  return settings;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_SUITE("model.forest") {
  TEST_CASE("margins are the library's, bit for bit") {
    const Matrix matrix = noisy_rows(1000);
    const std::string json = train_booster(matrix, deep());
    const Forest forest(json, all_columns(matrix));
    CHECK(forest.trees() == 60);
    const auto answer = ask_library(json, matrix);
    std::size_t different = 0;
    for (std::size_t at = 0; at < matrix.rows(); ++at) different += forest.margin(matrix.row(at)) != answer.margins[at];
    CHECK(different == 0);
  }

  TEST_CASE("contributions are TreeSHAP's and add up to the margin, of shallow trees and of deep ones") {
    const Matrix matrix = noisy_rows(300);
    for (const auto& [depth, trees] : {std::pair{1, 60}, {3, 60}, {3, 513}, {5, 60}}) {
      const int levels = depth, count = trees;
      CAPTURE(levels);
      CAPTURE(count);
      BoosterSettings settings = deep();
      settings.depth = depth;
      settings.trees = trees;
      const std::string json = train_booster(matrix, settings);
      const Forest forest(json, all_columns(matrix));
      REQUIRE(forest.depth() == depth);
      const auto answer = ask_library(json, matrix);
      std::vector<double> parts(matrix.columns);
      for (std::size_t at = 0; at < matrix.rows(); ++at) {
        forest.contributions(matrix.row(at), parts);
        const float* library = &answer.contributions[at * (matrix.columns + 1)];
        for (std::size_t column = 0; column < matrix.columns; ++column)
          CHECK(parts[column] == Approx(library[column]).epsilon(1e-3).scale(0.1));
        CHECK(forest.expected_margin() == Approx(library[matrix.columns]).epsilon(1e-4));
        const double sum = std::accumulate(parts.begin(), parts.end(), forest.expected_margin());
        CHECK(sum == Approx(static_cast<double>(forest.margin(matrix.row(at)))).epsilon(1e-4));
      }
    }
  }

  TEST_CASE("the same rows and seed give the same bytes, another seed others") {
    const Matrix matrix = noisy_rows(400);
    BoosterSettings other = deep();
    other.seed = 2;
    CHECK(train_booster(matrix, deep()) == train_booster(matrix, deep()));
    CHECK(train_booster(matrix, deep()) != train_booster(matrix, other));
  }

  TEST_CASE("a model may use some columns of a wider row") {
    const Matrix matrix = noisy_rows(200);
    const std::string json = train_booster(matrix, deep());
    std::vector<int> columns = all_columns(matrix);
    for (int& column : columns) column += 3;
    const Forest narrow(json, all_columns(matrix)), wide(json, columns);
    for (std::size_t at = 0; at < matrix.rows(); ++at) {
      std::vector<float> row(3, 99.0f);
      row.insert(row.end(), matrix.row(at).begin(), matrix.row(at).end());
      CHECK(wide.margin(row) == narrow.margin(matrix.row(at)));
    }
  }

  TEST_CASE("what is no forest of these features is refused") {
    const Matrix matrix = noisy_rows(200);
    const std::string json = train_booster(matrix, deep());
    const auto columns = all_columns(matrix);
    const std::vector<int> fewer(columns.begin(), columns.end() - 1);
    CHECK_THROWS_AS(Forest("", columns), core::Fault);
    CHECK_THROWS_AS(Forest("{}", columns), core::Fault);
    CHECK_THROWS_AS(Forest(json.substr(0, json.size() / 2), columns), core::Fault);
    CHECK_THROWS_AS(Forest(json, fewer), core::Fault);
    CHECK_THROWS_AS(Forest(replaced(json, "binary:logistic", "reg:squarederr"), columns), core::Fault);
    CHECK_THROWS_AS(Forest(replaced(json, "\"left_children\":[1", "\"left_children\":[0"), columns),
                    core::Fault);  // a loop
    CHECK_THROWS_AS(Forest(replaced(json, "\"left_children\":[1", "\"left_children\":[99999"), columns),
                    core::Fault);  // out of the tree
  }

  TEST_CASE("training can be stopped between trees") {
    int asked = 0;
    auto until_third = [](void* count) { return ++*static_cast<int*>(count) < 3; };
    CHECK_THROWS_AS(train_booster(noisy_rows(200), deep(), until_third, &asked), core::Fault);
    CHECK(asked == 3);
  }
}
