#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/types/span.h"

namespace rapport::risk_model {

// Symmetric, of some tens of rows. Sums are taken in one order on every machine, which libraries of
// linear algebra, whose blocks depend on the processor's caches, do not promise.
class SymmetricMatrix {
 public:
  explicit SymmetricMatrix(size_t size) : size_(size), values_(size * size) {}

  size_t size() const { return size_; }
  double At(size_t i, size_t k) const { return values_[Place(i, k)]; }
  double& At(size_t i, size_t k) { return values_[Place(i, k)]; }
  // += factor * v * v^T.
  void AddSquare(absl::Span<const double> v, double factor);

 private:
  size_t Place(size_t i, size_t k) const { return i < k ? k * size_ + i : i * size_ + k; }

  size_t size_;
  std::vector<double> values_;  // the lower triangle
};

// L with L * L^T = matrix.
class Cholesky {
 public:
  // nullopt where the matrix is not positive definite.
  static std::optional<Cholesky> Of(const SymmetricMatrix& matrix);

  // x with matrix * x = b.
  std::vector<double> Solve(absl::Span<const double> b) const;
  SymmetricMatrix Inverse() const;

 private:
  explicit Cholesky(size_t size) : factor_(size) {}

  SymmetricMatrix factor_;
};

}  // namespace rapport::risk_model
